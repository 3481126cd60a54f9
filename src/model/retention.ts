import type { Arrival } from './arrival.ts'
import type { Kept } from './kept.ts'

/** How long an inbox keeps events: from when they were received, in ms; `Infinity` keeps them. */
export interface Retention {
  /** Events whose deliveries have all ended well, and what was set aside. Default: 30 days. */
  readonly settledMs?: number
  /** Events that no handler asked for or that a gate refused. Default: 3 days. */
  readonly unhandledMs?: number
  /** Dead letters. Default: Infinity, until a person replays or prunes them. */
  readonly deadMs?: number
  /** Other times for these types. */
  readonly types?: Readonly<Record<string, Omit<Retention, 'types' | 'maxBytes'>>>
  /**
   * What the inbox may grow to, in bytes. Past three quarters of it, the oldest settled events are pruned at once, before their time, then
   * keys older than 7 days. Where that does not help, the last fifth is for transactional events: all others are answered 503 there.
   * Default: Infinity.
   */
  readonly maxBytes?: number
}

const dayMs = 24 * 60 * 60_000

const defaultRetention = { settledMs: 30 * dayMs, unhandledMs: 3 * dayMs, deadMs: Infinity } as const

/** How long an inbox knows a resend after the event itself was pruned. What is older than this at the door is `stale`. */
export const keysOutliveMs: number = 400 * dayMs

/** What holds for a type. */
function lifetimes(
  { types, ...rest }: Retention,
  type: string,
): Required<Omit<Retention, 'types' | 'maxBytes'>> {
  const own = types !== undefined && Object.hasOwn(types, type) ? types[type] : undefined
  return { ...defaultRetention, ...defined(rest), ...defined(own ?? {}) }
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T // T's own entries.
}

/**
 * How long a key stays at least while the store is past the pressure limit of `maxBytes` and holds no settled event any more: keys, about 300
 * bytes each on SQLite, would otherwise fill it.
 */
export const keysOutlivePressureMs: number = 7 * dayMs

/** What a person takes away by hand: events that have ended and were received before an instant, whatever the retention says. */
export interface ReceivedBefore {
  /** Epoch ms, exclusive. Compared with the time of receipt alone, never with a clock. */
  readonly receivedBefore: number
  /** Dead letters, too. */
  readonly dead: boolean
}

/** What became of an event as a whole: retention has a time for each. */
export type Fate = 'aside' | 'unhandled' | 'succeeded' | 'dead' | 'waiting'

export function fateOf({ aside, deliveries }: Kept): Fate {
  if (aside !== undefined) return 'aside'
  if (deliveries.length === 0) return 'unhandled'
  if (deliveries.some(({ state }) => state === 'pending' || state === 'leased')) return 'waiting'
  return deliveries.some(({ state }) => state === 'dead') ? 'dead' : 'succeeded'
}

/**
 * Until when, inclusive, an event of a type and fate must have been received to be pruned: epoch ms, -Infinity for never.
 *
 * @param now The engine's time.
 */
export function prunableUntil(
  what: Retention | ReceivedBefore,
  now: number,
): (type: string, fate: Fate) => number {
  if ('receivedBefore' in what) {
    const until = Math.ceil(what.receivedBefore) - 1 // The columns hold whole milliseconds.
    return (_, fate) => (fate === 'waiting' || (fate === 'dead' && !what.dead) ? -Infinity : until)
  }
  return (type, fate) => now - lifetimeMs(what, type, fate)
}

/** How long an event lives from its receipt; Infinity while it waits. */
function lifetimeMs(retention: Retention, type: string, fate: Fate): number {
  const { settledMs, unhandledMs, deadMs } = lifetimes(retention, type)
  switch (fate) {
    case 'aside':
    case 'succeeded':
      return settledMs
    case 'unhandled':
      return unhandledMs
    case 'dead':
      return Math.max(settledMs, deadMs)
    case 'waiting':
      return Infinity
  }
}

/** Whether an arrival that is not known may be a copy of one that was forgotten. What says no time is taken for new. */
export function isStale({ key, source }: Arrival, now: number): boolean {
  return source === 'door' && key.createInstant !== 0 && key.createInstant < now - keysOutliveMs
}
