import { basename, relative } from 'node:path'
import { shellQuote } from './shell-quote.ts'

/** How whoever reads this called us, to call us again. */
export function invocation(): string {
  const program = process.argv[1] ?? ''
  const called = basename(program) === 'fusewire' ? 'fusewire' : `node ${shellQuote(relative('', program))}`
  return process.env['npm_command'] === 'exec' ? `npx ${called}` : called
}
