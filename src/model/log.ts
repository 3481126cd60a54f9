import { printableJson } from '../lib/printable.ts'

/** A logger: pino and `console` fit as they are. Fields never hold a secret, a token or a body. */
export interface Log {
  /** Normal operation: events were pruned, the server is ready. */
  info(fields: object, message: string): void
  /** An operator should look at it some time: a failed attempt, a denied event, a short key. */
  warn(fields: object, message: string): void
  /** An operator should act: a dead letter, an event that was not handled. */
  error(fields: object, message: string): void
}

/** Wraps a logger so that exceptions it throws are ignored: they must not fail a request or a delivery. */
export function ignoreLogFailures(log: Log): Log {
  const calmly = (level: keyof Log) => (fields: object, message: string) => {
    try {
      log[level](fields, message)
    } catch {
      // There is no other place to report it.
    }
  }
  return { info: calmly('info'), warn: calmly('warn'), error: calmly('error') }
}

/* oxlint-disable no-console -- the default logger, for webhooks that were given none */

/** Writes warnings and errors to stderr, one line each, without control characters that a terminal would obey. Drops `info`. */
export const consoleLog: Log = {
  info: () => {},
  warn: (fields, message) => console.warn(lineOf(fields, message)),
  error: (fields, message) => console.error(lineOf(fields, message)),
}

function lineOf(fields: object, message: string): string {
  return `fusewire: ${message} ${printableJson(JSON.stringify(fields))}`
}
