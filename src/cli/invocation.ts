import { basename, relative } from 'node:path'
import { shellQuote } from './shell-quote.ts'
import { type Text, text } from './text.ts'

/** How this command was called, for hints that the reader can paste. */
export function invocation(): Text {
  const program = process.argv[1] ?? ''
  const called =
    basename(program) === 'fusewire' ? text`fusewire` : text`node ${shellQuote(relative('', program))}`
  return process.env['npm_command'] === 'exec' ? text`npx ${called}` : called
}
