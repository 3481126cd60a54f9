import { inboxOf } from '../../inbox/inbox.ts'
import type { Kept } from '../../model/kept.ts'
import { masked } from '../../server/api/mask.ts'
import { openInbox, type Place } from '../inbox-at.ts'
import type { InboxEnd, Listed } from './end.ts'

/** An inbox that this machine can open itself, whether or not a receiver has it open too. */
export async function localEnd(place: Place): Promise<InboxEnd> {
  const engine = await openInbox(place)
  const inbox = inboxOf(engine)
  return {
    shown: place.shown,
    async page(where, options) {
      const { items, ...page } = await inbox.page(where, options)
      return { items: items.map(listed), ...page }
    },
    async show(id, { tenantId, reveal }) {
      const kept = await inbox.get(id, tenantId)
      if (kept === undefined) return undefined
      const { event } = kept
      return { ...listed(kept), ...(event !== undefined && { event: reveal ? event : masked(event) }) }
    },
    stats: inbox.stats.bind(inbox),
    replay: inbox.replay.bind(inbox),
    prune: inbox.prune.bind(inbox),
    erase: inbox.erase.bind(inbox),
    export: inbox.export.bind(inbox),
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]()
    },
  }
}

function listed(kept: Kept): Listed {
  const { type, source, receivedAt, keptAt, size, gone, refused, aside, deliveries } = kept
  return {
    ...kept.key,
    type,
    source,
    receivedAt,
    size,
    deliveries,
    ...(keptAt !== undefined && { keptAt }),
    ...(gone !== undefined && { gone }),
    ...(refused !== undefined && { refused }),
    ...(aside !== undefined && { aside }),
  }
}
