/** Every code a FusewireError can carry. docs/errors.md explains each with its fix. */
export type ErrorCode =
  | 'FW_OPTION'
  | 'FW_KEY'
  | 'FW_KEY_MISSING'
  | 'FW_BODY_READ'
  | 'FW_SHAPE'
  | 'FW_GATE_TIMEOUT'
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
  | 'FW_DENIED'
  | 'FW_PERMANENT'
  | 'FW_RETRY_LATER'

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

/** Thrown by a handler: not now, but at this time. */
export class RetryLater extends FusewireError {
  readonly when: { readonly afterMs: number } | { readonly at: Date }

  constructor(when: { afterMs: number } | { at: Date }, options?: ErrorOptions) {
    super(
      'FW_RETRY_LATER',
      'afterMs' in when ? `retry after ${when.afterMs} ms` : `retry at ${when.at.toISOString()}`,
      options,
    )
    this.name = 'RetryLater'
    this.when = when
  }
}

/** The code of any thrown value, ours or a look-alike from another copy of the package. */
export function codeOf(error: unknown): string | undefined {
  try {
    return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
      ? error.code
      : undefined
  } catch {
    return undefined // Whatever was thrown has a getter that throws.
  }
}
