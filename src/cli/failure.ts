import { codeOf } from '../lib/code-of.ts'
import { type Text, text } from './text.ts'

/** Exit codes and their meanings. docs/cli.md prints this table. */
export const exitCodes = {
  0: 'It is done.',
  1: 'It ran, and the answer is no: an event was not accepted, a check failed, there is no such event.',
  2: 'The command line, the environment or a file given is wrong; nothing was done.',
  3: 'Something it needs is not there: a port is taken, an inbox does not open, a server does not answer.',
  70: 'Fusewire itself is at fault.',
  130: 'It was stopped by a signal before its end.',
} as const

export type ExitCode = keyof typeof exitCodes

/** Ends the command with one sentence on stderr that says what to do. */
export class Failure extends Error {
  readonly exitCode: ExitCode
  readonly told: Text

  constructor(exitCode: ExitCode, told: Text, options?: ErrorOptions) {
    super(told.parts.map(({ shown }) => shown).join(''), options)
    this.name = 'Failure'
    this.exitCode = exitCode
    this.told = told
  }
}

/** A failure because the command line, the environment or a file is wrong. */
export function misused(told: Text, options?: ErrorOptions): Failure {
  return new Failure(2, told, options)
}

/** A failure because something that the command needs is not available. */
export function missing(told: Text, options?: ErrorOptions): Failure {
  return new Failure(3, told, options)
}

/** Any thrown value as a Failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code?.startsWith('FW_') === true) {
    return new Failure(needs.has(code) ? 3 : 2, text`${code}: ${message}`, { cause: error })
  }
  return new Failure(
    70,
    text`Fusewire failed: ${message} Run it again with --debug and report what it says.`,
    {
      cause: error,
    },
  )
}

/** Codes of errors whose cause is the environment of the command, not its input. */
const needs: ReadonlySet<string> = new Set([
  'FW_DISK_NOT_DURABLE',
  'FW_INBOX_LOCKED',
  'FW_INBOX_MOVED',
  'FW_INBOX_NEWER',
  'FW_INBOX_SILENT',
  'FW_POOLER',
])
