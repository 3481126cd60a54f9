import { styleText } from 'node:util'
import { printable } from '../lib/printable.ts'

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

declare const safe: unique symbol

/** What may be printed. Only this file makes it, so nobody else's words reach a terminal but through `printable`. */
export interface Text {
  readonly [safe]: true
  readonly parts: readonly Part[]
}

interface Part {
  readonly shown: string
  readonly style?: Style
}

type Value = string | number | Text

/** The template's own words as they are, every value through `printable`. */
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

/** Filled up with spaces. */
export function padded(value: Value, width: number): Text {
  const parts = partsOf(value)
  return seal([...parts, { shown: ' '.repeat(Math.max(0, width - widthOf(value))) }])
}

export function widthOf(value: Value): number {
  return partsOf(value).reduce((width, { shown }) => width + Array.from(shown).length, 0)
}

/** For a stream: with colour where it is a terminal and NO_COLOR is not set. */
export function rendered({ parts }: Text, stream: NodeJS.WritableStream): string {
  return parts
    .map(({ shown, style }) => (style === undefined ? shown : styleText(style, shown, { stream })))
    .join('')
}

/** What a server answers is of any shape, whatever its type says: one that looks like a Text is none. */
function partsOf(value: Value): readonly Part[] {
  return typeof value === 'object' && sealed.has(value) ? value.parts : [{ shown: printable(wordsOf(value)) }]
}

/** An object of JSON may have a `toString` that is no function. */
function wordsOf(value: Value): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const sealed = new WeakSet<object>()

/** Neighbours of one style are one part. */
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
