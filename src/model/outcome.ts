/** How an attempt ended. */
export type Outcome =
  | { readonly kind: 'succeeded' }
  /** The handler's `where` returned false. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly failure: Failure }
  /** No attempt was made: the delivery is due again after `afterMs`, and the attempt is not counted. */
  | { readonly kind: 'wait'; readonly afterMs: number }
  /** A dead letter. The next delivery of its lane is due. */
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly failure?: Failure }

/**
 * Why a delivery became a dead letter. `crashed`: its process ended three times while it ran alone. `interrupted`: its process ended during
 * the last attempt that `maxAttempts` allows. `shape`: the event lacks a path that its type promises.
 */
export type DeadReason = 'failed' | 'permanent' | 'crashed' | 'interrupted' | 'shape'

/** What a failed attempt threw. */
export interface Failure {
  /** Epoch ms. */
  readonly at: number
  /** The error's name and message, at most 1,000 characters. */
  readonly message: string
  /** The error's stack, at most 4,000 characters. Absent where it has none. */
  readonly stack?: string
}
