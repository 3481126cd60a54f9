import { readFileSync, rmSync, writeFileSync } from 'node:fs'

/** What the commands in the second terminal need to know of the running example. */
export interface Session {
  readonly fusionauthUrl: string
  readonly apiKey: string
  readonly todoUrl: string
}

/** The Todo database; the inbox and the session lie beside it. */
export const database: string = process.env['TODO_DB'] ?? 'todo.db'

const file = `${database}.session.json`

/** For its owner's eyes: it holds the API key. */
export function writeSession(session: Session): void {
  writeFileSync(file, JSON.stringify(session), { mode: 0o600 })
}

export function readSession(): Session {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Session // What writeSession wrote.
  } catch {
    console.error('The example is not running: npm start in another terminal first.')
    process.exit(1)
  }
}

export function endSession(): void {
  rmSync(file, { force: true })
}
