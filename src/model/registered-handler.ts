/** An event after parsing: what the envelope holds, with `id` and `createInstant` made certain. */
export interface ParsedEvent {
  readonly type: string
  readonly id: string
  readonly createInstant: number
  readonly tenantId?: unknown
  readonly [field: string]: unknown
}

/** A gate as the receiver runs it. */
export interface RegisteredGate {
  readonly name: string
  readonly timeoutMs?: number
  readonly onFailure: 'refuse' | 'allow'
  decide(context: GateRun): unknown
}

export interface GateRun {
  readonly event: ParsedEvent
  /** Aborts when the deadline passes: nothing the gate does after that can reach FusionAuth. */
  readonly signal: AbortSignal
  /** Epoch ms. */
  readonly deadlineAt: number
}

/** A handler as receiver and worker run it. */
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

export interface HandlerRun {
  readonly event: ParsedEvent
  /** The bytes it came in. */
  readonly body: Uint8Array
  readonly attempt: number
  readonly isLastAttempt: boolean
  /** The same in every attempt of this handler at this event: give it to what you call. */
  readonly idempotencyKey: string
  /** Epoch ms. */
  readonly receivedAt: number
  readonly signal: AbortSignal
  /** The engine's transaction, in an atomic handler. */
  readonly sql?: unknown
}
