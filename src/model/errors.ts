/** Every code a FusewireError can carry. docs/errors.md explains each with its fix. */
export type ErrorCode =
  | 'FW_OPTION'
  | 'FW_KEY'
  | 'FW_KEY_MISSING'
  | 'FW_BODY_READ'
  | 'FW_SHAPE'
  | 'FW_GATE_TIMEOUT'
  | 'FW_GATE_RESULT'
  | 'FW_TIMEOUT'
  | 'FW_LEASE_LOST'
  | 'FW_FORWARD'
  | 'FW_NOT_STARTED'
  | 'FW_HANDLER_NAME'
  | 'FW_STARTED'
  | 'FW_STOPPED'
  | 'FW_ATOMIC'
  | 'FW_DISK_NOT_DURABLE'
  | 'FW_INBOX_LOCKED'
  | 'FW_INBOX_MOVED'
  | 'FW_INBOX_NEWER'
  | 'FW_INBOX_SILENT'
  | 'FW_POOLER'
  | 'FW_DENIED'
  | 'FW_PERMANENT'
  | 'FW_RETRY_LATER'
  | 'FW_SETTLE'

/**
 * An error of this package. Its message says what was expected, what came and what to do, and never holds a secret or a body.
 * Recognise it by `code`, never by `instanceof`: two copies of the package may be loaded.
 *
 * @example
 * try {
 *   new Webhook({ authenticate: apiKey(''), inbox: 'none' })
 * } catch (error) {
 *   if (!(error instanceof Error && 'code' in error && error.code === 'FW_KEY_MISSING')) throw error
 *   console.log('Set WEBHOOK_KEY first.')
 * }
 */
export class FusewireError extends Error {
  /** Stays the same from version to version, unlike the message. */
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FusewireError'
    this.code = code
  }
}

/**
 * Thrown by a gate to say no: the answer is 422, and FusionAuth rolls back if its transaction level asks for this receiver's yes. The
 * reason goes to the log and, with an inbox, to the event that is kept; FusionAuth is told only that the event was denied.
 *
 * @example
 * webhook.gate('user.create', ({ event }) => {
 *   if (event.user.email?.endsWith('@spam.example')) throw new Denied('address not allowed')
 * })
 */
export class Denied extends FusewireError {
  constructor(reason: string, options?: ErrorOptions) {
    super('FW_DENIED', reason, options)
    this.name = 'Denied'
  }
}

/**
 * Thrown by a handler when no further attempt can help: the delivery becomes a dead letter at once, and its lane goes on.
 *
 * @example
 * webhook.on('user.create.complete', async ({ event, signal }) => {
 *   if (event.user.email === undefined) throw new Permanent('no address to write to')
 *   await mail.welcome(event.user.id, { signal })
 * })
 */
export class Permanent extends FusewireError {
  constructor(reason: string, options?: ErrorOptions) {
    super('FW_PERMANENT', reason, options)
    this.name = 'Permanent'
  }
}

/**
 * Thrown by a handler to say when the next attempt is made: after `afterMs` milliseconds, or at `at`. Taken between 1 s and 24 h; a time
 * that is not a positive number or not a future date means the normal backoff. Counts as a failed attempt like any other. The constructor
 * never throws, so that a header that could not be read costs no outcome.
 *
 * @example
 * webhook.on('user.create.complete', async ({ event, signal }) => {
 *   const answer = await fetch('https://mail.example.com/welcome', { method: 'POST', body: event.user.id, signal })
 *   if (answer.status === 429) throw new RetryLater({ afterMs: Number(answer.headers.get('retry-after')) * 1000 })
 *   if (!answer.ok) throw new Error(`mail answered ${answer.status}`)
 * })
 */
export class RetryLater extends FusewireError {
  /** As it was given. */
  readonly when: { readonly afterMs: number } | { readonly at: Date }

  constructor(when: { afterMs: number } | { at: Date }, options?: ErrorOptions) {
    super('FW_RETRY_LATER', describeWhen(when), options)
    this.name = 'RetryLater'
    this.when = when
  }
}

/** `toISOString` throws for an invalid date; JavaScript callers may pass anything. */
function describeWhen(when: unknown): string {
  try {
    const { afterMs, at } = when as { readonly afterMs?: unknown; readonly at?: unknown }
    return at instanceof Date ? `retry at ${at.toISOString()}` : `retry after ${String(afterMs)} ms`
  } catch {
    return 'retry later, at a time that cannot be read'
  }
}

/** For callers that set a deadline for the inbox. */
export function silentInbox(): FusewireError {
  return new FusewireError(
    'FW_INBOX_SILENT',
    'The inbox did not answer in the time that was given. What it was asked for may yet be done.',
  )
}
