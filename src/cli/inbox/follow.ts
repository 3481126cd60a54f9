import { setTimeout as sleep } from 'node:timers/promises'
import type { Filter } from '../../model/filter.ts'
import type { EventSummary } from '../../server/api/summarize-event.ts'
import type { OpenedInbox } from './opened-inbox.ts'

/** The pause between two looks at the inbox: short enough for a person at a terminal. */
const everyMs = 500
/** How long an event whose deliveries have not ended is looked at again: one may wait for weeks. */
const patienceMs = 10 * 60_000

/** Yields events as they arrive, and again when their state changes, until the signal aborts. */
export async function* follow(
  inbox: OpenedInbox,
  where: Filter,
  signal: AbortSignal,
): AsyncGenerator<EventSummary> {
  const { items: newest } = await inbox.page({}, { limit: 1 })
  const known = new Map<string, string>()
  let from = where.receivedAfter ?? (newest[0]?.receivedAt ?? Date.now() - 1) + 1
  while (!signal.aborted) {
    let earliestOpen = Infinity
    let latest = from
    for await (const item of pages(inbox, { ...where, receivedAfter: from }, signal)) {
      const { createInstant, tenantId, id, receivedAt } = item
      const key = `${createInstant}/${tenantId}/${id}`
      const fate = JSON.stringify([
        item.refused,
        item.aside,
        item.gone,
        item.deliveries.map(({ state, attempts }) => [state, attempts]),
      ])
      if (known.get(key) !== fate) yield item
      known.set(key, fate)
      latest = Math.max(latest, receivedAt)
      if (item.deliveries.some(({ state }) => state === 'pending' || state === 'leased')) {
        earliestOpen = Math.min(earliestOpen, receivedAt)
      }
    }
    // Looks again at the last 5 seconds: events may be kept in another order than they were received.
    from = Math.max(Math.min(earliestOpen, latest - 5000), latest - patienceMs, where.receivedAfter ?? from)
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}

async function* pages(inbox: OpenedInbox, where: Filter, signal: AbortSignal): AsyncGenerator<EventSummary> {
  let after: string | undefined
  do {
    const page = await inbox.page(where, {
      limit: 500,
      order: 'oldest',
      ...(after !== undefined && { after }),
    })
    yield* page.items
    after = page.next
  } while (after !== undefined && !signal.aborted)
}
