import type { Clock } from '../../lib/clock.ts'
import { fits } from '../../model/filter.ts'
import type { Kept } from '../../model/kept.ts'
import { pageOf } from '../../model/page-of.ts'
import { type Receipt, receiptLimit } from '../../model/receipt.ts'
import { type Node, nodeOutlivesMs } from '../../model/stats.ts'
import type { Page, Paging, Tending } from '../../model/tending.ts'
import { abandon, countIdle, markRun } from './abandon.ts'
import { type Candidate, candidatesOf, isSetAside, namesUser } from './candidate.ts'
import { erase } from './erase.ts'
import { personText } from './is-erased.ts'
import { keptOf, keptSetAsideOf } from './kept-of.ts'
import { overview } from './overview.ts'
import { prune } from './prune.ts'
import { replay } from './replay.ts'
import type { Store } from './store.ts'

export function createTending(
  store: Store,
  clock: Clock,
  {
    assertOpen,
    wake,
    judged,
  }: {
    readonly assertOpen: () => void
    readonly wake: () => void
    /** The time by which events are judged to be old, in epoch ms. */
    readonly judged: () => number
  },
): Tending {
  const { queues, erased, erasureNotes } = store
  const receipts: Placed<Receipt>[] = []
  const nodes = new Map<string, Node & { readonly seenAt: number }>()
  const duties = new Map<string, { readonly nodeId: string; readonly until: number }>()
  let recorded = 0

  function liveNodes(): readonly Node[] {
    return [...nodes.values()].filter(({ seenAt }) => seenAt > clock.now() - nodeOutlivesMs)
  }

  return {
    async find(where, paging) {
      assertOpen()
      const candidates = candidatesOf(store, where).filter(
        (candidate) => (isSetAside(candidate) || candidate.gone === undefined) && namesUser(candidate, where),
      )
      return pageAfter(candidates.map(placeKept(paging.bodies === true)), paging, (item) => fits(item, where))
    },

    async overview() {
      assertOpen()
      return overview(store, liveNodes(), clock.now())
    },

    async replay(where, after) {
      assertOpen()
      const replayed = replay(store, where, after, clock.now())
      wake()
      return replayed
    },

    async prune(what, after) {
      assertOpen()
      return prune(store, what, after, judged())
    },

    async erase(person, after) {
      assertOpen()
      const step = erase(store, person, after, clock.now())
      wake()
      return step
    },

    async noteErasure(person, note) {
      assertOpen()
      erased.set(personText(person), clock.now())
      erasureNotes.set(personText(person), note)
    },

    async findErasureNote(person) {
      assertOpen()
      return erasureNotes.get(personText(person))
    },

    async endErasure(person) {
      assertOpen()
      erasureNotes.delete(personText(person))
    },

    async scrub() {
      assertOpen()
      return 'scrubbed'
    },

    async record(given) {
      assertOpen()
      receipts.push(...given.map((item) => ({ position: ++recorded, item })))
      receipts.splice(0, receipts.length - receiptLimit)
    },

    async receipts(paging) {
      assertOpen()
      return pageAfter(receipts, paging, () => true)
    },

    async beat(node) {
      assertOpen()
      nodes.set(node.id, { ...node, seenAt: clock.now() })
      for (const queue of queues.values())
        if (node.handlers.includes(queue.subscription.handler)) markRun(queue)
    },

    async leave(nodeId) {
      assertOpen()
      nodes.delete(nodeId)
    },

    async countIdle(ms) {
      assertOpen()
      const running = new Set(liveNodes().flatMap(({ handlers }) => handlers))
      return countIdle(store, running, ms, clock.now())
    },

    async abandon() {
      assertOpen()
      return abandon(store, clock.now())
    },

    limit(maxBytes, pressed) {
      store.maxBytes = maxBytes
      store.reportPressure = pressed
    },

    async hold(duty, nodeId, forMs) {
      assertOpen()
      const holder = duties.get(duty)
      if (holder !== undefined && holder.nodeId !== nodeId && holder.until > clock.now()) return false
      duties.set(duty, { nodeId, until: clock.now() + forMs })
      return true
    },
  }
}

interface Placed<T> {
  readonly position: number
  readonly item: T
}

function placeKept(bodies: boolean): (candidate: Candidate) => Placed<Kept> {
  return (candidate) => ({
    position: candidate.position,
    item: isSetAside(candidate) ? keptSetAsideOf(candidate, bodies) : keptOf(candidate, bodies),
  })
}

/** A page in the order that was asked for, starting behind `after`. */
function pageAfter<T>(
  all: readonly Placed<T>[],
  { limit, after, order = 'newest' }: Paging,
  isWanted: (item: T) => boolean,
): Page<T> {
  const sign = order === 'newest' ? -1 : 1
  const rest = all
    .filter(({ position }) => after === undefined || sign * (position - Number(after)) > 0)
    .filter(({ item }) => isWanted(item))
    .toSorted((a, b) => sign * (a.position - b.position))
  const { items, ...page } = pageOf(rest, limit, ({ position }) => position)
  return { ...page, items: items.map(({ item }) => item) }
}
