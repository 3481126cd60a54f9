/** The JSON value in `text`, or undefined when it is not JSON. Not an error, because V8's error quotes the text, which may be a secret. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Like `parseJson`, but integers that a double cannot represent become decimal strings: FusionAuth writes an indefinite expiry as
 * 9223372036854775807, which JSON.parse would round.
 */
export function parseJsonExactly(text: string): unknown {
  const value = parseJson(text)
  return value === undefined || !hasLongNumber(text) ? value : JSON.parse(quoteBigIntegers(text))
}

/**
 * Whether the text has 16 digits in a row. Looks at every 16th character, and backwards from there as long as it finds digits. Takes a tenth
 * of the time of a RegExp, which takes as long as parsing.
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
 * Valid JSON with those integers quoted. Scans the text, because a reviver is called recursively and an authenticated body may be nested half
 * a million levels deep.
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
