import type { ParsedEvent } from './parsed-event.ts'

/** A handler as `webhook.on` registered it, its options checked. */
export interface RegisteredHandler {
  readonly name: string
  readonly types: readonly string[] | '*'
  readonly timeoutMs?: number
  readonly tenantIds?: readonly string[]
  readonly applicationIds?: readonly string[]
  readonly maxAttempts?: number
  readonly ordering: 'lane' | 'none'
  readonly atomic: boolean
  where?(event: ParsedEvent): boolean
  handle(context: HandlerRun): unknown
}

/** What a handler is called with. */
export interface HandlerRun {
  readonly event: ParsedEvent
  /** The bytes of the request's body. */
  readonly body: Uint8Array
  /** From 1. */
  readonly attempt: number
  readonly isLastAttempt: boolean
  /** The same in every attempt of this handler at this event. */
  readonly idempotencyKey: string
  /** Epoch ms. */
  readonly receivedAt: number
  /** Aborts when the handler's time is up, its lease is lost or the webhook stops. */
  readonly signal: AbortSignal
  /** The engine's transaction, in an atomic handler. */
  readonly sql?: unknown
}
