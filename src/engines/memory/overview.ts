import { type BlockedLane, type HandlerOverview, type Node, type Overview } from '../../model/stats.ts'
import { queueStats } from './queue-stats.ts'
import type { Queue, Store } from './store.ts'

const hourMs = 60 * 60_000
const blockedLimit = 20

export function overview({ events, setAside, queues }: Store, nodes: readonly Node[], now: number): Overview {
  const live = [...events.values()].filter(({ gone }) => gone === undefined)
  const types = Map.groupBy(live, ({ arrival }) => arrival.type)
  return {
    events: live.length,
    aside: setAside.length,
    bytes: live.reduce((sum, { arrival }) => sum + arrival.body.length, 0),
    types: [...types]
      .map(([type, of]) => ({
        type,
        events: of.length,
        lastHour: of.filter(({ arrival }) => arrival.receivedAt > now - hourMs).length,
      }))
      .toSorted((a, b) => b.events - a.events || (a.type < b.type ? -1 : 1)),
    handlers: [...queues.values()]
      .map((queue): HandlerOverview => {
        const { handler } = queue.subscription
        const abandoned = !nodes.some(({ handlers }) => handlers.includes(handler))
        return { ...queueStats(queue), abandoned, blocked: blockedLanes(queue) }
      })
      .toSorted((a, b) => (a.handler < b.handler ? -1 : 1)),
    nodes,
  }
}

function blockedLanes({ heads, lanes }: Queue): readonly BlockedLane[] {
  return [...heads]
    .flatMap((head): BlockedLane[] => {
      const { lane, heldSince: since } = head
      if (since === undefined) return []
      return [
        {
          ...(lane !== undefined && { lane }),
          since,
          pending: lane === undefined ? 1 : (lanes.get(lane)?.length ?? 1),
        },
      ]
    })
    .toSorted((a, b) => a.since - b.since)
    .slice(0, blockedLimit)
}
