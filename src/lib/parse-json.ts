/** The JSON value in `text`, or undefined when it is none. No error: V8's quotes the text, and the text may be a secret. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * `parseJson`, but integers a double cannot hold become decimal strings: FusionAuth writes an indefinite expiry as
 * 9223372036854775807, which JSON.parse would silently round.
 */
export function parseJsonExactly(text: string): unknown {
  const value = parseJson(text)
  return value === undefined || !hasLongNumber(text) ? value : JSON.parse(quoteBigIntegers(text))
}

/**
 * Whether 16 digits stand in a row. Looks at every 16th character, and back from there while it sees digits: a tenth of what a RegExp
 * takes, which costs as much as parsing.
 */
function hasLongNumber(text: string): boolean {
  for (let at = 15, digits = 0; at < text.length; at += 16 - digits) {
    digits = 0
    while (digits < 16 && isDigit(text.charCodeAt(at - digits))) digits++
    if (digits === 16) return true
  }
  return false
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/**
 * Valid JSON in, valid JSON out. A scan, not a reviver: a reviver recurses, and an authenticated body may be nested half a million
 * levels deep.
 */
function quoteBigIntegers(json: string): string {
  const token = /"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
  let quoted = ''
  let copied = 0
  for (let match = token.exec(json); match !== null; match = token.exec(json)) {
    if (match[0] === '"') {
      token.lastIndex = endOfString(json, token.lastIndex)
    } else if (/^-?\d{16,}$/.test(match[0]) && !Number.isSafeInteger(Number(match[0]))) {
      quoted += `${json.slice(copied, match.index)}"${match[0]}"`
      copied = token.lastIndex
    }
  }
  return quoted + json.slice(copied)
}

/** The index after the quote that closes the string whose content starts at `start`. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start)
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end + 1
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0
  while (json[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}
