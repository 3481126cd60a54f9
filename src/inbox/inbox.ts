import { setTimeout as pause } from 'node:timers/promises'
import { readEvent } from '../events/read-event.ts'
import type { FusionAuthEvent } from '../events/types.ts'
import { asList } from '../lib/one-or-more.ts'
import type { Engine } from '../model/engine.ts'
import type { Person } from '../model/person.ts'
import type { Scrubbed } from '../model/erased-step.ts'
import { FusewireError } from '../model/errors.ts'
import { type Filter, type State, states } from '../model/filter.ts'
import type { Kept } from '../model/kept.ts'
import type { Receipt } from '../model/receipt.ts'
import type { Overview } from '../model/stats.ts'
import type { Page, Paging, Tending } from '../model/tending.ts'
import { canonicalId } from '../model/canonical-id.ts'
import { type EraseOptions, erasePerson } from './erase-person.ts'
import { exportLine } from './export-line.ts'

/**
 * What people ask of an inbox, from any process that may open it: to look, to make handlers run again, to make it smaller, to make a person
 * disappear. All of it works in small steps beside receiving and delivering; what takes long can be stopped by a signal between any two
 * steps, and goes on from where it was.
 */
export interface Inbox {
  /**
   * Every event that fits, newest first, with its body. Read in pages of 100: what comes meanwhile may or may not be among them.
   *
   * @example
   * for await (const { type, key, deliveries } of webhook.inbox.find({ state: 'dead' })) {
   *   console.log(type, key.id, deliveries)
   * }
   */
  find(where?: Filter, options?: FindOptions): AsyncIterable<KeptEvent>
  /**
   * A page of them, without bodies, for lists.
   *
   * @throws FW_OPTION when `limit` is not a whole number from 1 to 500.
   * @example
   * const first = await webhook.inbox.page({ type: 'user.delete' }, { limit: 20 })
   * if (first.next !== undefined) await webhook.inbox.page({ type: 'user.delete' }, { limit: 20, after: first.next })
   */
  page(where?: Filter, options?: PageOptions): Promise<Page<Kept>>
  /**
   * One event with its bytes, by FusionAuth's id of it. More than one has this id only where tenants share an inbox, or the sender changed
   * its time: then the newest. Undefined where there is none.
   *
   * @example
   * const kept = await webhook.inbox.get('3f2504e0-4f89-11d3-9a0c-0305e82c3301')
   * if (kept?.event?.type === 'user.create') console.log(kept.event.user.id)
   */
  get(id: string, tenantId?: string): Promise<KeptEvent | undefined>
  /**
   * Everything at a glance: by type, by handler, blocked lanes, the processes that work on it.
   *
   * @example
   * const { handlers } = await webhook.inbox.stats()
   * for (const { handler, dead } of handlers) if (dead > 0) console.warn(`${handler}: ${dead} dead letters`)
   */
  stats(): Promise<Overview>
  /**
   * Makes handlers run again: every ended delivery that fits, oldest event first, in its lane's order. A handler that is named also gets
   * the events that it wants and never had, for example because it was added later. Waiting deliveries stay as they are.
   *
   * @throws FW_OPTION for an empty filter, and for a handler that the inbox does not know.
   * @example
   * const { deliveries } = await webhook.inbox.replay({ state: 'dead', type: 'user.delete.complete' })
   */
  replay(where: Filter, options?: LongOptions): Promise<Replay>
  /**
   * Takes away events that have ended and were received before this instant, whatever the retention says. Waiting ones stay.
   *
   * @throws FW_OPTION when `before` is no instant.
   * @example
   * const { events } = await webhook.inbox.prune({ before: new Date('2026-01-01'), dead: true })
   */
  prune(where: PruneOptions, options?: LongOptions): Promise<Prune>
  /**
   * Takes away everything that names a person, and says what it could not reach. Broken off, the same call finds the rest, also from
   * another process.
   *
   * @throws FW_OPTION when an id is empty.
   * @example
   * const { events, bytes, unreached } = await webhook.inbox.erase({ userId: '00000000-0000-4000-8000-000000000001' })
   */
  erase(person: Person, options?: EraseOptions): Promise<Erasure>
  /**
   * Events as lines of JSON without the line's end, oldest first, with their bodies as they came: `body` is text, or `bodyBase64` where the
   * bytes are none.
   *
   * @example
   * for await (const line of webhook.inbox.export({ type: 'user.create' })) console.log(line)
   */
  export(where?: Filter, options?: LongOptions): AsyncIterable<string>
  /**
   * What requests were answered that left no event, newest first. The inbox remembers the last 10,000.
   *
   * @throws FW_OPTION when `limit` is not a whole number from 1 to 500.
   * @example
   * const { items } = await webhook.inbox.receipts({ limit: 20 })
   * for (const { status, outcome, reason } of items) console.log(status, outcome, reason)
   */
  receipts(options?: PageOptions): Promise<Page<Receipt>>
  /**
   * Requests that did not get past authentication, of this process since it started: counted, and one a second kept in memory.
   *
   * @example
   * const { seen } = webhook.inbox.strangers()
   * if (seen > 0) console.warn(`${seen} requests had no valid credentials`)
   */
  strangers(): Strangers
}

/** Requests that did not get past authentication. */
export interface Strangers {
  /** How many there were since the process started. */
  readonly seen: number
  /** Some of them, at most one a second, newest first. */
  readonly sample: readonly Receipt[]
}

/** An event with its body, and what the body says. */
export interface KeptEvent extends Kept {
  /** Absent when its body is gone, or is no event any more. */
  readonly event?: FusionAuthEvent
}

/** How work that takes many steps is watched, stopped and gone on with. */
export interface LongOptions {
  /** Stops it between two steps: what was done stays done, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** After each step. */
  readonly onProgress?: (progress: Progress) => void
  /** Goes on from where another run was: its last `progress.next`. */
  readonly after?: string
}

/** How far such work has come. */
export interface Progress {
  /** Done so far: deliveries of a replay, events of everything else. */
  readonly done: number
  /** Absent at the end. */
  readonly next?: string
}

/** How `find` reads. */
export interface FindOptions {
  /** Stops it between two pages: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
  /** Default: `newest` first. */
  readonly order?: 'newest' | 'oldest'
}

/** Which page is meant. */
export interface PageOptions {
  /** Default: 50; at most 500. */
  readonly limit?: number
  /** The last page's `next`. */
  readonly after?: string
  /** Default: `newest` first. */
  readonly order?: 'newest' | 'oldest'
}

/** What `prune` takes away. */
export interface PruneOptions {
  /** A date, or epoch ms. */
  readonly before: Date | number
  /** Dead letters, too. Default: false. */
  readonly dead?: boolean
}

/** What a replay did. */
export interface Replay {
  /** Deliveries that were made pending. */
  readonly deliveries: number
}

/** What `prune` did. */
export interface Prune {
  /** Events that were taken away. */
  readonly events: number
}

/** What an erasure did, this call alone, and what it cannot reach. */
export interface Erasure {
  /** Events whose body, errors and lanes are gone. */
  readonly events: number
  /** Deliveries that had not ended, and never will now. */
  readonly deliveries: number
  /** What became of the bytes on this disk. */
  readonly bytes: Scrubbed
  /** What no inbox can reach. */
  readonly unreached: readonly string[]
}

const unreached: readonly string[] = [
  'backups and copies of the inbox, replicas, and snapshots of its disk',
  'what handlers did with the events, and where events were forwarded',
  'logs of this process, of proxies and of the database',
  "FusionAuth's own webhook event log",
]

/** The inbox of an engine. */
export function inboxOf(engine: Engine, strangers: () => Strangers | undefined = () => undefined): Inbox {
  const tend = engine.tend ?? untended
  /** All pages, one after the other. */
  async function* pages(
    where: Filter,
    paging: Paging,
    { signal, onProgress, after }: LongOptions,
  ): AsyncGenerator<readonly Kept[]> {
    let next = after
    let done = 0
    do {
      signal?.throwIfAborted()
      const page = await tend.find(where, { ...paging, ...(next !== undefined && { after: next }) })
      yield page.items
      done += page.items.length
      next = page.next
      onProgress?.({ done, ...(next !== undefined && { next }) })
    } while (next !== undefined)
  }

  /** Steps till there is no next one: the sum of what each did. */
  async function steps<Step extends { readonly next?: string }>(
    take: (after: string | undefined) => Promise<Step>,
    count: (step: Step) => number,
    { signal, onProgress, after }: LongOptions,
  ): Promise<number> {
    let next = after
    let done = 0
    do {
      signal?.throwIfAborted()
      const began = performance.now()
      const step = await take(next)
      const did = count(step)
      done += did
      next = step.next
      onProgress?.({ done, ...(next !== undefined && { next }) })
      // Events that come in are not to notice: half of the time is theirs.
      if (next !== undefined && did > 0) await pause(Math.min(performance.now() - began, longestPauseMs))
    } while (next !== undefined)
    return done
  }

  return {
    async *find(where = {}, { signal, order = 'newest' } = {}) {
      const paging = { limit: 100, order, bodies: true }
      for await (const items of pages(checked(where), paging, signal === undefined ? {} : { signal })) {
        for (const kept of items) yield opened(kept)
      }
    },

    async page(where = {}, { limit = 50, ...paging } = {}) {
      return tend.find(checked(where), { ...paging, limit: pageLimit(limit) })
    },

    async get(id, tenantId) {
      const where = checked({ id, ...(tenantId !== undefined && { tenantId }) })
      for await (const items of pages(where, { limit: 1, bodies: true }, {})) {
        const [kept] = items
        if (kept !== undefined) return opened(kept)
      }
      return undefined
    },

    stats: async () => tend.overview(),

    async replay(where, options = {}) {
      const meant = checked(where)
      if (Object.keys(meant).length === 0) {
        throw new FusewireError(
          'FW_OPTION',
          'replay needs to know which events are meant: give it a handler, a state, a type, a user, an id or a time.',
        )
      }
      await assertHandler(engine, meant.handler)
      const step = (after: string | undefined) => tend.replay(meant, after)
      return { deliveries: await steps(step, ({ deliveries }) => deliveries, options) }
    },

    async prune({ before, dead = false }, options = {}) {
      const receivedBefore = instant('before', before instanceof Date ? before.getTime() : before)
      const step = (after: string | undefined) => tend.prune({ receivedBefore, dead }, after)
      return { events: await steps(step, ({ events }) => events, options) }
    },

    async erase({ userId, tenantId }, options = {}) {
      const inTenant = tenantId !== undefined && { tenantId: canonical('tenantId', tenantId) }
      const person = { userId: canonical('userId', userId), ...inTenant }
      return { ...(await erasePerson(tend, person, options)), unreached }
    },

    async *export(where = {}, options = {}) {
      const paging = { limit: 100, order: 'oldest', bodies: true } as const
      for await (const items of pages(checked(where), paging, options)) {
        for (const kept of items) yield exportLine(kept)
      }
    },

    strangers: () => strangers() ?? { seen: 0, sample: [] },

    receipts: async ({ limit = 50, ...paging } = {}) => tend.receipts({ ...paging, limit: pageLimit(limit) }),
  }
}

/** Until every engine can. */
const untended = new Proxy({} as Tending, {
  get() {
    throw new FusewireError('FW_OPTION', 'The inbox of this engine cannot be tended yet.')
  },
})

const longestPauseMs = 50

function opened(kept: Kept): KeptEvent {
  if (kept.body === undefined) return kept
  const event = readEvent(kept.body, () => '')
  // What the catalogue's types promise beyond the envelope is checked when a handler runs, not here.
  return typeof event === 'string' ? kept : { ...kept, event: event as unknown as FusionAuthEvent }
}

async function assertHandler(engine: Engine, handler: string | undefined): Promise<void> {
  if (handler === undefined) return
  const { handlers } = await engine.stats()
  const known = handlers.find((one) => one.handler === handler)
  if (known?.abandonedAt !== undefined) {
    throw new FusewireError(
      'FW_OPTION',
      'This handler is abandoned: nobody has run it for 7 days. Start a process that runs it, then replay.',
    )
  }
  if (known !== undefined) return
  throw new FusewireError(
    'FW_OPTION',
    `The inbox knows no handler of this name. It knows: ${handlers.map((one) => one.handler).join(', ') || 'none'}.`,
  )
}

/** The filter with ids as the inbox has them; throws where it makes no sense. */
function checked(where: Filter): Filter {
  const { type, tenantId, userId, id, handler, state, receivedAfter, receivedBefore, errorText } = where
  const wanted = state === undefined ? [] : asList(state)
  const unknown = wanted.find((one) => !states.includes(one))
  if (unknown !== undefined) {
    throw new FusewireError('FW_OPTION', `state must be one of ${states.join(', ')}.`)
  }
  const asides = wanted.filter((one) => asideStates.includes(one))
  if (asides.length > 0 && asides.length < wanted.length) {
    throw new FusewireError('FW_OPTION', `${asideStates.join(', ')} are kept apart: ask for them alone.`)
  }
  return {
    ...(type !== undefined && { type }),
    ...(tenantId !== undefined && { tenantId: canonical('tenantId', tenantId) }),
    ...(userId !== undefined && { userId: canonical('userId', userId) }),
    ...(id !== undefined && { id: canonical('id', id) }),
    ...(handler !== undefined && { handler }),
    ...(state !== undefined && { state }),
    ...(receivedAfter !== undefined && { receivedAfter: instant('receivedAfter', receivedAfter) }),
    ...(receivedBefore !== undefined && { receivedBefore: instant('receivedBefore', receivedBefore) }),
    ...(errorText !== undefined && errorText !== '' && { errorText }),
  }
}

const asideStates: readonly State[] = ['conflict', 'stale', 'quarantined']

function canonical(name: string, id: string): string {
  if (typeof id === 'string' && id !== '') return canonicalId(id)
  throw new FusewireError('FW_OPTION', `${name} must be an id, and not empty.`)
}

function instant(name: string, at: number): number {
  if (Number.isFinite(at)) return at
  throw new FusewireError('FW_OPTION', `${name} must be an instant: ms since 1970, or a valid Date.`)
}

function pageLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 500) return limit
  throw new FusewireError('FW_OPTION', 'limit must be a whole number from 1 to 500.')
}
