/** Characters that a terminal interprets or does not show: controls, bidirectional marks, zero-width characters, line separators, lone surrogates. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u

/**
 * Untrusted text as one line that is safe in a terminal: characters that it would interpret or hide become `\u{…}`. Names and errors may come
 * from people who never signed in.
 *
 * @param limit Longest result, in characters. Default: 500.
 */
export function printable(text: string, limit = 500): string {
  let shown = ''
  for (const character of text) {
    const next = unseen.test(character) ? `\\u{${character.codePointAt(0)?.toString(16)}}` : character
    if (shown.length + next.length > limit) return `${shown}…`
    shown += next
  }
  return shown
}

/** Equivalent JSON, in which characters that a terminal would interpret or hide are escaped. */
export function printableJson(json: string): string {
  return json.replaceAll(new RegExp(unseen, 'gu'), (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
