import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../model/log.ts'
import type { IncomingRequest } from '../../model/incoming-request.ts'

/**
 * Decides from a request's headers whether its sender may post events: `apiKey`, `basicAuth`, `signature`, `check`, `allOf`, `anyOf`. Its
 * members are internal; pass it to `new Webhook`.
 */
export interface Authenticator {
  /** Keeps look-alikes out; in types only. @hidden */
  readonly [authenticator]: true
  /** For logs. @internal */
  readonly name: string
  /** `allOf` and `anyOf` ask the cheap ones first, and those that fetch keys only after all others. @internal */
  readonly cost: Cost
  /** Headers that carry its credentials, in lower case: a request that has one twice is refused. @internal */
  readonly headers: readonly string[]
  /** Reads secrets and keys; rejects when one is missing. Called again after it failed, never after it succeeded. @internal */
  prepare(log: Log, clock: Clock): Promise<void>
  /** Keeps fetched keys fresh until it is disposed. Call `prepare` first. @internal */
  keepReady?(): Disposable
  /** Why every request would be rejected now; never holds a secret. Call `prepare` first. @internal */
  notReady?(): string | undefined
  /** Decides from headers alone. Call `prepare` first. @internal */
  admit(incoming: IncomingRequest): Verdict | Promise<Verdict>
}

declare const authenticator: unique symbol

/** Gives an object the type that `new Webhook` accepts. */
export function createAuthenticator(members: Omit<Authenticator, typeof authenticator>): Authenticator {
  return members as Authenticator // The symbol exists in types only: no other object has the type by accident.
}

export const cost = { headers: 0, signature: 1, check: 2, fetch: 3 } as const
export type Cost = (typeof cost)[keyof typeof cost]

/** What an authenticator decided about a request. */
export type Verdict = Admission | Rejection

/** The headers prove the sender, provided that the body has these SHA-256 values, in standard base64. */
export interface Admission {
  readonly admitted: true
  readonly digests: readonly string[]
}

export interface Rejection {
  readonly admitted: false
  /** For the log: never a secret. */
  readonly reason: string
  /** Set where the same request may be admitted later, because keys could not be fetched: the answer is then 503. */
  readonly retry?: true
}

export const admitted: Admission = { admitted: true, digests: [] }

export function rejected(reason: string): Rejection {
  return { admitted: false, reason }
}
