import { printableJson } from '../lib/printable.ts'

/** Where Fusewire logs. pino and console fit as they are. Fields never hold a secret, a token or a body. */
export interface Log {
  /** What went as it should: events were pruned, the server is ready. */
  info(fields: object, message: string): void
  /** What an operator should look at: a failed attempt, a denied event, a short key. */
  warn(fields: object, message: string): void
  /** What needs somebody: a dead letter, an event that was not handled. */
  error(fields: object, message: string): void
}

/** The same log, whose own failure costs no event its answer and no delivery its end. */
export function ignoreLogFailures(log: Log): Log {
  const calmly = (level: keyof Log) => (fields: object, message: string) => {
    try {
      log[level](fields, message)
    } catch {
      // There is nowhere left to tell it.
    }
  }
  return { info: calmly('info'), warn: calmly('warn'), error: calmly('error') }
}

/* oxlint-disable no-console -- the one place that writes where nobody gave a log */

/** Warnings and errors on stderr, one line each, which a terminal shows and does not obey; nothing else. */
export const consoleLog: Log = {
  info: () => {},
  warn: (fields, message) => console.warn(lineOf(fields, message)),
  error: (fields, message) => console.error(lineOf(fields, message)),
}

function lineOf(fields: object, message: string): string {
  return `fusewire: ${message} ${printableJson(JSON.stringify(fields))}`
}
