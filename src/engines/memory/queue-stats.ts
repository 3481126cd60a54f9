import type { HandlerStats } from '../../model/stats.ts'
import type { Queue } from './store.ts'

export function queueStats({ subscription, intake, heads, lanes, dead, abandonedAt }: Queue): HandlerStats {
  const parked = [...lanes.values()].flatMap((lane) => lane.slice(1))
  const pending = [...intake, ...heads, ...parked]
  const oldest = pending.toSorted((a, b) => a.event.position - b.event.position)[0]
  return {
    handler: subscription.handler,
    pending: pending.length,
    dead: dead.size,
    ...(oldest !== undefined && { oldestPendingAt: oldest.event.arrival.receivedAt }),
    ...(abandonedAt !== undefined && { abandonedAt }),
  }
}
