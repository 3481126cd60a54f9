import { styleText } from 'node:util'
import { printable } from '../lib/printable.ts'

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

declare const safe: unique symbol

/** Text that may be printed. Only this file creates it, so every text from outside goes through `printable` before it reaches a terminal. */
export interface Text {
  readonly [safe]: true
  readonly parts: readonly Part[]
}

interface Part {
  readonly shown: string
  readonly style?: Style
}

type Value = string | number | Text

/** Text of a template: its literal parts unchanged, its values through `printable`. */
export function text(words: TemplateStringsArray, ...values: readonly Value[]): Text {
  return seal(
    words.flatMap((shown, index) => {
      const value = values[index]
      return [{ shown }, ...(value === undefined ? [] : partsOf(value))]
    }),
  )
}

export function styled(style: Style, value: Value): Text {
  return seal(partsOf(value).map((part) => ({ style, ...part })))
}

export function joined(values: readonly Value[], separator: string): Text {
  return seal(
    values.flatMap((value, index) => [...(index === 0 ? [] : [{ shown: separator }]), ...partsOf(value)]),
  )
}

/** Text padded with spaces to a width. */
export function padded(value: Value, width: number): Text {
  const parts = partsOf(value)
  return seal([...parts, { shown: ' '.repeat(Math.max(0, width - widthOf(value))) }])
}

export function widthOf(value: Value): number {
  return partsOf(value).reduce((width, { shown }) => width + Array.from(shown).length, 0)
}

/** The string to write to a stream, with colour where the stream is a terminal and NO_COLOR is not set. */
export function rendered({ parts }: Text, stream: NodeJS.WritableStream): string {
  return parts
    .map(({ shown, style }) => (style === undefined ? shown : styleText(style, shown, { stream })))
    .join('')
}

/** A value parsed from a server's JSON may have the shape of a Text: only objects that this file sealed are Texts. */
function partsOf(value: Value): readonly Part[] {
  return typeof value === 'object' && sealed.has(value) ? value.parts : [{ shown: printable(wordsOf(value)) }]
}

/** An object of JSON may have a `toString` that is no function. */
function wordsOf(value: Value): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const sealed = new WeakSet<object>()

/** Joins adjacent parts of the same style. */
function seal(given: readonly Part[]): Text {
  const parts: Part[] = []
  for (const part of given) {
    const before = parts.at(-1)
    if (part.shown === '') continue
    if (before !== undefined && before.style === part.style)
      parts[parts.length - 1] = { ...before, shown: before.shown + part.shown }
    else parts.push(part)
  }
  const made = { parts } as unknown as Text // The symbol exists in types only.
  sealed.add(made)
  return made
}
