import { createInbox } from '../../inbox/create-inbox.ts'
import { maskEvent } from '../../server/api/mask-event.ts'
import { summarizeEvent } from '../../server/api/summarize-event.ts'
import { openEngine, type InboxPlace } from '../inbox-place.ts'
import type { OpenedInbox } from './opened-inbox.ts'

/** An inbox that this machine can open itself, whether or not a receiver has it open too. */
export async function openLocalInbox(place: InboxPlace): Promise<OpenedInbox> {
  const engine = await openEngine(place)
  const inbox = createInbox(engine)
  return {
    shown: place.shown,
    async page(where, options) {
      const { items, ...page } = await inbox.page(where, options)
      return { items: items.map(summarizeEvent), ...page }
    },
    async show(id, { tenantId, reveal }) {
      const kept = await inbox.get(id, tenantId)
      if (kept === undefined) return undefined
      const { event } = kept
      return {
        ...summarizeEvent(kept),
        ...(event !== undefined && { event: reveal ? event : maskEvent(event) }),
      }
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
