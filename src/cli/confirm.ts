import { createInterface } from 'node:readline/promises'
import { misused } from './failure.ts'
import { rendered, type Text, text } from './text.ts'

/** Asks the person at the terminal to confirm an action that cannot be undone. Without a terminal `--yes` is required. */
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
