import { internals, type WebhookInternals } from '../webhook/webhook-internals.ts'
import type { Listening } from './listen.ts'

/** What `serve` stops when it ends: a webhook. */
export interface Stoppable {
  /** Ends delivering before `stop` ends the rest. @internal */
  readonly [internals]?: Pick<WebhookInternals, 'stopDelivering'>
  /** Ends within `withinMs`, in ms. */
  stop(options?: { withinMs?: number }): Promise<unknown>
}

/** Of the whole time, for what comes after requests and handlers: giving back leases, writing receipts, closing the inbox. */
const closingMs = 1_500

/**
 * Stops a door and its webhook within one time. Requests and handlers end at the same time, because handlers need no listener and requests no
 * worker; what is left of them is cut off 1.5 s before the end, or at the half of a shorter time. Then the inbox closes.
 */
export async function stopTogether(door: Listening, webhook: Stoppable, withinMs: number): Promise<void> {
  const endsAt = performance.now() + withinMs
  const cutOffMs = withinMs - Math.min(closingMs, withinMs / 2)
  await Promise.all([door.close(cutOffMs), webhook[internals]?.stopDelivering(cutOffMs)])
  const remainingMs = endsAt - performance.now() - closingMs
  await webhook.stop({ withinMs: Math.max(0, remainingMs) })
}
