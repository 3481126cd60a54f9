import { setTimeout as sleep } from 'node:timers/promises'
import type { Filter } from '../../model/filter.ts'
import type { OpenedInbox, EventSummary } from './opened-inbox.ts'

/** How often an inbox is looked at; whoever looks on notices no difference. */
const everyMs = 500
/** An event that has not ended by then is not looked at any more: a dead letter may wait for weeks. */
const patienceMs = 10 * 60_000

/** Events as they come, and again when what became of them changes, until the signal says stop. */
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
    // Those of the last moments are looked at again: they may have been kept out of order.
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
