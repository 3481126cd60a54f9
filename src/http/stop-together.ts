import { internals, type WebhookInternals } from '../webhook/webhook-internals.ts'
import type { Listening } from './listen.ts'

/** What `serve` stops when it ends: a webhook. */
export interface Stoppable {
  /** Ends delivering before `stop` ends the rest. @internal */
  readonly [internals]?: Pick<WebhookInternals, 'stopDelivering'>
  /** Ends within `withinMs`, in ms. */
  stop(options?: { withinMs?: number }): Promise<unknown>
}

/** The part of the time that is reserved for releasing leases, writing receipts and closing the inbox. */
const closingMs = 1_500

/**
 * Stops a listener and its webhook within one time. Requests and handlers end concurrently, because neither needs the other; those that
 * remain are cut off 1.5 s before the end, or at half of a shorter time. Then the inbox closes.
 */
export async function stopTogether(
  listening: Listening,
  webhook: Stoppable,
  withinMs: number,
): Promise<void> {
  const endsAt = performance.now() + withinMs
  const cutOffMs = withinMs - Math.min(closingMs, withinMs / 2)
  await Promise.all([listening.close(cutOffMs), webhook[internals]?.stopDelivering(cutOffMs)])
  const remainingMs = endsAt - performance.now() - closingMs
  await webhook.stop({ withinMs: Math.max(0, remainingMs) })
}
