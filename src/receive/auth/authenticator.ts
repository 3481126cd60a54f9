import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../model/log.ts'
import type { IncomingRequest } from '../../model/incoming-request.ts'

/** Decides who may speak: `apiKey`, `basicAuth`, `signature`, `check`, `allOf`, `anyOf`. Opaque; pass it to `new Webhook`. */
export interface Authenticator {
  readonly [authenticator]: true
  /** What it says of itself in logs. @internal */
  readonly name: string
  /** Cheap ones are asked first, and what reaches out to the network last, after every other has let the request in. @internal */
  readonly cost: Cost
  /** Headers that carry its credentials, lower case: sent twice, they are refused. @internal */
  readonly headers: readonly string[]
  /** Reads secrets and keys, so that a missing one stops the start. Called again after it failed, never after it succeeded. @internal */
  prepare(log: Log, clock: Clock): Promise<void>
  /** From now on until it is disposed, keeps ready what it needs: fetches keys again and again. Only after `prepare`. @internal */
  keepReady?(): Disposable
  /** Why it would reject every request now, in words that hold no secret. Only after `prepare`. @internal */
  notReady?(): string | undefined
  /** Decides from headers alone. Only after `prepare`. @internal */
  admit(incoming: IncomingRequest): Verdict | Promise<Verdict>
}

declare const authenticator: unique symbol

/** An authenticator before it is sealed. */
export type Open = Omit<Authenticator, typeof authenticator>

export function seal(open: Open): Authenticator {
  return open as Authenticator // The symbol exists in types only: it keeps look-alikes out.
}

export const cost = { headers: 0, signature: 1, check: 2, fetch: 3 } as const
export type Cost = (typeof cost)[keyof typeof cost]

/** `digests`: what the body's SHA-256 must be, in standard base64, before the request counts as authenticated. */
export type Verdict =
  | { readonly admitted: true; readonly digests: readonly string[] }
  | { readonly admitted: false; readonly reason: string; readonly retry?: true }

export const admitted: Verdict = { admitted: true, digests: [] }

export function rejected(reason: string): Verdict {
  return { admitted: false, reason }
}
