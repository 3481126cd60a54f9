import { createInterface } from 'node:readline/promises'
import { misused } from './failure.ts'
import { rendered, type Text, text } from './text.ts'

/** Asks a person to agree to what cannot be undone. Where nobody can be asked, `--yes` must have been said. */
export async function confirm(yes: boolean, question: Text): Promise<boolean> {
  if (yes) return true
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw misused(text`This cannot be undone, and nobody can be asked here: say --yes.`)
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${rendered(question, process.stderr)} [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
