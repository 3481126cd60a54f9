import type { ErrorCode } from '../../model/errors.ts'

/** What a request is told, and what it meant. */
export interface Answer {
  readonly status: 200 | 400 | 401 | 405 | 408 | 413 | 415 | 422 | 500 | 503 | 504
  /** JSON, or empty. */
  readonly body: string
  readonly outcome: AnswerOutcome
  /** Why, in words for the log. Never the sender's words, a secret or a body. */
  readonly reason?: string
  /** The same for a receipt, where `reason` repeats what a gate's own code said: that may name people, and belongs to their event. */
  readonly inOurWords?: string
  /** The event it is about, once that is known. */
  readonly event?: { readonly type: string; readonly id: string }
  readonly headers?: Readonly<Record<string, string>>
  /** It was told to somebody who has not shown that he may speak. */
  readonly stranger?: true
}

/**
 * `kept`: in the inbox. `handled`: handlers ran, nothing is kept. `duplicate`: known already. `denied`: a gate said no. `failed`: a gate
 * or handler threw. `timeout`: out of time. `refused`: not accepted at all. `unavailable`: cannot tell or keep now; FusionAuth may ask again.
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

/** 401 says nothing about why: the log does. */
export function unauthorized(reason: string): Answer {
  const body = '{"errors":[{"code":"[notAuthorized]"}]}'
  return { status: 401, body, outcome: 'refused', reason, stranger: true }
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

export function denied(reason: string, inOurWords: string): Answer {
  return {
    status: 422,
    body: errors('denied', 'The event was denied.'),
    outcome: 'denied',
    reason,
    inOurWords,
  }
}

export function failed(
  code: ErrorCode | 'failed',
  message: string,
  reason: string = message,
  inOurWords: string = reason,
): Answer {
  return { status: 500, body: errors(code, message), outcome: 'failed', reason, inOurWords }
}

export function timedOut(reason: string): Answer {
  return { status: 504, body: errors('timeout', 'No decision in time.'), outcome: 'timeout', reason }
}

/** The receiver itself failed, perhaps before it knew who was asking. */
export function broken(reason: string): Answer {
  return { ...failed('failed', 'The receiver failed.', reason), stranger: true }
}

/** A step returns what it found, or the answer that ends the request. */
export function isAnswer<T extends object>(result: T | Answer): result is Answer {
  return 'status' in result && 'outcome' in result
}

function errors(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code: `[${code}]`, message }] })
}
