import type { ErrorCode } from '../../model/errors.ts'

/** The receiver's answer to a request, with what the log and the receipts say about it. */
export interface Answer {
  readonly status: 200 | 400 | 401 | 405 | 408 | 413 | 415 | 422 | 500 | 503 | 504
  /** JSON, or empty. */
  readonly body: string
  readonly outcome: AnswerOutcome
  /** Why, for the log. Never holds text of the sender, a secret or a body; it may hold what a gate or handler threw. */
  readonly reason?: string
  /**
   * The reason without what a gate threw, for receipts: what a gate throws may name people, and a receipt is not erased with them. Absent:
   * `reason` will do.
   */
  readonly receiptReason?: string
  /** Set once the event is known. */
  readonly event?: { readonly type: string; readonly id: string }
  readonly headers?: Readonly<Record<string, string>>
  /** The sender was not authenticated, so anybody can cause this answer: logs and receipts limit its rate. */
  readonly unauthenticated?: true
}

/**
 * `kept`: the event is in the inbox. `handled`: handlers ran, or no handler wants the event; nothing is stored. `duplicate`: it was accepted
 * before. `denied`: a gate denied it. `failed`: a gate or handler threw. `timeout`: a gate took too long. `refused`: the request is not
 * acceptable. `unavailable`: the event cannot be decided or stored now; FusionAuth may send it again.
 */
export type AnswerOutcome =
  | 'kept'
  | 'handled'
  | 'duplicate'
  | 'denied'
  | 'failed'
  | 'timeout'
  | 'refused'
  | 'unavailable'

export const kept: Answer = { status: 200, body: '', outcome: 'kept' }
export const handled: Answer = { status: 200, body: '', outcome: 'handled' }
export const duplicate: Answer = { status: 200, body: '', outcome: 'duplicate' }

/** The sender is not told why, which would help to guess; the log is. */
export function unauthorized(reason: string): Answer {
  const body = '{"errors":[{"code":"[notAuthorized]"}]}'
  return { status: 401, body, outcome: 'refused', reason, unauthenticated: true }
}

export function refused(
  status: 400 | 405 | 408 | 413 | 415,
  code: string,
  message: string,
  headers?: Answer['headers'],
): Answer {
  return {
    status,
    body: errors(code, message),
    outcome: 'refused',
    reason: message,
    ...(headers && { headers }),
  }
}

export function unavailable(reason: string): Answer {
  const body = errors('unavailable', 'Not now. Send the event again.')
  return { status: 503, body, outcome: 'unavailable', reason, headers: { 'retry-after': '1' } }
}

export function denied(reason: string, receiptReason: string): Answer {
  return {
    status: 422,
    body: errors('denied', 'The event was denied.'),
    outcome: 'denied',
    reason,
    receiptReason,
  }
}

export function failed(
  code: ErrorCode | 'failed',
  message: string,
  reason: string = message,
  receiptReason: string = reason,
): Answer {
  return { status: 500, body: errors(code, message), outcome: 'failed', reason, receiptReason }
}

/** The event lacks a path that its type promises, so neither gates nor handlers may get it. */
export function misshapen(path: string): Answer {
  return failed('FW_SHAPE', `The event lacks ${path}, which its type promises.`)
}

export function timedOut(reason: string): Answer {
  return { status: 504, body: errors('timeout', 'No decision in time.'), outcome: 'timeout', reason }
}

/** The receiver itself failed, perhaps before it had authenticated the sender. */
export function broken(reason: string): Answer {
  return { ...failed('failed', 'The receiver failed.', reason), unauthenticated: true }
}

/** A step gives either its result or the answer that ends the request. */
export function isAnswer<T extends object>(result: T | Answer): result is Answer {
  return 'status' in result && 'outcome' in result
}

function errors(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code: `[${code}]`, message }] })
}
