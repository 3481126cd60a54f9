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
  /** The name of the option or argument that is wrong, such as `bodyLimit` or `retention.deadMs`. Only with `FW_OPTION`. */
  declare readonly option?: string

  constructor(code: ErrorCode, message: string, options: ErrorOptions & { readonly option?: string } = {}) {
    super(message, options)
    this.name = 'FusewireError'
    this.code = code
    if (options.option !== undefined) this.option = options.option
  }
}

/**
 * Thrown by a gate to refuse an event: the answer is 422, and FusionAuth rolls back if its transaction level requires this receiver's consent.
 * The reason is logged and, with an inbox, stored with the event; FusionAuth learns only that the event was denied.
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
 * Thrown by a handler when no further attempt can help: the delivery becomes a dead letter at once, and the next one of its lane is due.
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
 * Thrown by a handler to set the time of the next attempt: after `afterMs` milliseconds, or at `at`, limited to between 1 s and 24 h. A time
 * that is not a positive number or not a future date means the normal backoff. Counts as a failed attempt like any other. The constructor
 * never throws, so that an unreadable `Retry-After` header does not hide the failure.
 *
 * @example
 * webhook.on('user.create.complete', async ({ event, signal }) => {
 *   const answer = await fetch('https://mail.example.com/welcome', { method: 'POST', body: event.user.id, signal })
 *   if (answer.status === 429) throw new RetryLater({ afterMs: Number(answer.headers.get('retry-after')) * 1000 })
 *   if (!answer.ok) throw new Error(`mail answered ${answer.status}`)
 * })
 */
export class RetryLater extends FusewireError {
  /** The argument of the constructor. */
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

/** The error for callers that set the inbox a deadline. */
export function silentInbox(): FusewireError {
  return new FusewireError(
    'FW_INBOX_SILENT',
    'The inbox did not answer in time. The operation may still complete.',
  )
}

/** @param option The name by which the caller gave it: a program tells the cases of `FW_OPTION` apart by it. */
export function wrongOption(option: string, message: string, cause?: unknown): FusewireError {
  return new FusewireError('FW_OPTION', message, { option, ...(cause !== undefined && { cause }) })
}
