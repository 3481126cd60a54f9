import { printable } from '../lib/printable.ts'
import { type Text, text } from './text.ts'

/** Quotes a value so that it is one word of a shell command. */
export function shellQuote(value: string): Text {
  const shown = printable(value, 100) // Short enough that `text` never cuts a quotation in two.
  const parts = shown.split("'")
  if (/^[A-Za-z0-9_/:.,@%+=-]+$/.test(shown)) return text`${shown}`
  return text`'${parts.join(`'\\''`)}'`
}
