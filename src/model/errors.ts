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

/** An error of ours. Recognise it by `code`, never by `instanceof`: two copies of the package may be loaded. */
export class FusewireError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FusewireError'
    this.code = code
  }
}

/** Thrown by a gate: the answer is 422, and FusionAuth rolls back if its transaction level asks for our yes. */
export class Denied extends FusewireError {
  constructor(reason: string, options?: ErrorOptions) {
    super('FW_DENIED', reason, options)
    this.name = 'Denied'
  }
}

/** Thrown by a handler: retrying cannot help. */
export class Permanent extends FusewireError {
  constructor(reason: string, options?: ErrorOptions) {
    super('FW_PERMANENT', reason, options)
    this.name = 'Permanent'
  }
}

/**
 * Thrown by a handler: not now, but after `afterMs` milliseconds or at `at`. Taken between 1 s and 24 h; a time that is not a positive
 * number or not a future date means the normal backoff. Never throws itself, so that a header that could not be read costs no outcome.
 */
export class RetryLater extends FusewireError {
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
