import type { ParsedEvent } from './parsed-event.ts'

/** A gate as `webhook.gate` registered it, its options checked. */
export interface RegisteredGate {
  readonly name: string
  readonly timeoutMs?: number
  readonly onFailure: 'refuse' | 'allow'
  decide(context: GateRun): unknown
}

/** What a gate is called with. */
export interface GateRun {
  readonly event: ParsedEvent
  /** Aborts at the deadline: the answer has been sent then, and nothing the gate does can change it. */
  readonly signal: AbortSignal
  /** Epoch ms. */
  readonly deadlineAt: number
}
