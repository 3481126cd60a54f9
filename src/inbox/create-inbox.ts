import { readEvent } from '../events/read-event.ts'
import type { FusionAuthEvent } from '../events/types.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Engine } from '../model/engine.ts'
import { wrongOption } from '../model/errors.ts'
import type { Kept } from '../model/kept.ts'
import type { Tending } from '../model/tending.ts'
import { checkFilter, checkId, checkInstant, checkPageLimit } from './check-filter.ts'
import { erasePerson } from './erase-person.ts'
import { exportLine } from './export-line.ts'
import type { Inbox, KeptEvent, Strangers } from './inbox.ts'
import { readPages } from './read-pages.ts'
import { runSteps } from './run-steps.ts'

export interface InboxOptions {
  readonly clock?: Clock
  readonly strangers?: () => Strangers | undefined
}

const pageSize = 100

/** The inbox of an engine. */
export function createInbox(engine: Engine, options: InboxOptions = {}): Inbox {
  const { clock = systemClock, strangers = () => undefined } = options
  const tend = engine.tend ?? withoutTending

  return {
    async *find(where = {}, { signal, order = 'newest' } = {}) {
      const paging = { limit: pageSize, order, bodies: true }
      const reading = signal === undefined ? {} : { signal }
      for await (const items of readPages(tend, checkFilter(where), paging, reading)) {
        for (const kept of items) yield withEvent(kept)
      }
    },

    async page(where = {}, { limit = 50, ...paging } = {}) {
      return tend.find(checkFilter(where), { ...paging, limit: checkPageLimit(limit) })
    },

    async get(id, tenantId) {
      const where = checkFilter({ id, ...(tenantId !== undefined && { tenantId }) })
      for await (const [kept] of readPages(tend, where, { limit: 1, bodies: true }, {})) {
        if (kept !== undefined) return withEvent(kept)
      }
      return undefined
    },

    stats: async () => tend.overview(),

    async replay(where, long = {}) {
      const filter = checkFilter(where)
      if (Object.keys(filter).length === 0) {
        throw wrongOption(
          'where',
          'replay needs a filter: give it a handler, a state, a type, a user, an id or a time.',
        )
      }
      await assertHandlerRuns(engine, filter.handler)
      const take = (after: string | undefined) => tend.replay(filter, after)
      return { deliveries: await runSteps(clock, take, ({ deliveries }) => deliveries, long) }
    },

    async prune({ before, dead = false }, long = {}) {
      const receivedBefore = checkInstant('before', before instanceof Date ? before.getTime() : before)
      const take = (after: string | undefined) => tend.prune({ receivedBefore, dead }, after)
      return { events: await runSteps(clock, take, ({ events }) => events, long) }
    },

    async erase({ userId, tenantId }, erasing = {}) {
      const inTenant = tenantId !== undefined && { tenantId: checkId('tenantId', tenantId) }
      const person = { userId: checkId('userId', userId), ...inTenant }
      return { ...(await erasePerson(tend, person, clock, erasing)), unreached }
    },

    async *export(where = {}, long = {}) {
      const paging = { limit: pageSize, order: 'oldest', bodies: true } as const
      for await (const items of readPages(tend, checkFilter(where), paging, long)) {
        for (const kept of items) yield exportLine(kept)
      }
    },

    strangers: () => strangers() ?? { seen: 0, sample: [] },

    receipts: async ({ limit = 50, ...paging } = {}) =>
      tend.receipts({ ...paging, limit: checkPageLimit(limit) }),
  }
}

const unreached: readonly string[] = [
  'backups and copies of the inbox, replicas, and snapshots of its disk',
  'what handlers did with the events, and where events were forwarded',
  'logs of this process, of proxies and of the database',
  "FusionAuth's own webhook event log",
]

/** For an engine of a user's own that implements only delivering. */
const withoutTending = new Proxy({} as Tending, {
  get() {
    throw wrongOption(
      'inbox',
      'The engine of this inbox cannot find, replay, prune or erase events: it has no `tend`.',
    )
  },
})

function withEvent(kept: Kept): KeptEvent {
  if (kept.body === undefined) return kept
  const event = readEvent(kept.body, () => '')
  // The paths that the type promises are checked when a handler runs, not here.
  return typeof event === 'string' ? kept : { ...kept, event: event as unknown as FusionAuthEvent }
}

async function assertHandlerRuns(engine: Engine, handler: string | undefined): Promise<void> {
  if (handler === undefined) return
  const { handlers } = await engine.stats()
  const known = handlers.find((one) => one.handler === handler)
  if (known?.abandonedAt !== undefined) {
    throw wrongOption(
      'handler',
      'This handler is abandoned: no process has run it for 7 days. Start a process that runs it, then replay.',
    )
  }
  if (known !== undefined) return
  throw wrongOption(
    'handler',
    `The inbox knows no handler of this name. It knows: ${handlers.map((one) => one.handler).join(', ') || 'none'}.`,
  )
}
