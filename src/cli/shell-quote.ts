import { printable } from '../lib/printable.ts'
import { type Text, text } from './text.ts'

/** A value as one word of a command that somebody may paste into a shell, whatever it says. */
export function shellQuote(value: string): Text {
  const shown = printable(value, 100) // Short enough that `text` never cuts a quotation in two.
  const parts = shown.split("'")
  if (/^[A-Za-z0-9_/:.,@%+=-]+$/.test(shown)) return text`${shown}`
  return text`'${parts.join(`'\\''`)}'`
}
