import type { Arrival } from './arrival.ts'
import type { Kept } from './kept.ts'

/** How long an inbox keeps events, in ms from their receipt; `Infinity`: for ever. */
export interface Retention {
  /** Events whose deliveries all succeeded, and events that were set aside. Default: 30 days. */
  readonly settledMs?: number
  /** Events that no handler wants or that a gate refused. Default: 3 days. */
  readonly unhandledMs?: number
  /** Dead letters. Default: Infinity, until a person replays or prunes them. */
  readonly deadMs?: number
  /** Other times for these types. */
  readonly types?: Readonly<Record<string, Omit<Retention, 'types' | 'maxBytes'>>>
  /**
   * The largest size of the inbox in bytes. Above 75% of it the oldest settled events are pruned at once, before their retention ends, then
   * keys older than 7 days. Above 80% only transactional events are accepted; all others are answered 503.
   * Default: Infinity.
   */
  readonly maxBytes?: number
}

const dayMs = 24 * 60 * 60_000

const defaultRetention = { settledMs: 30 * dayMs, unhandledMs: 3 * dayMs, deadMs: Infinity } as const

/** How long an inbox recognises a resend after the event itself was pruned. An event that is older when it is received is `stale`. */
export const keysOutliveMs: number = 400 * dayMs

/** The retention times of one type. */
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
 * How long a key is kept at least while the store is past the pressure limit of `maxBytes` and holds no settled event. Older keys are deleted
 * then, because keys (about 300 bytes each on SQLite) would otherwise fill the store.
 */
export const keysOutlivePressureMs: number = 7 * dayMs

/** What a person prunes by hand: events that have ended and were received before an instant, whatever their retention. */
export interface ReceivedBefore {
  /** Epoch ms, exclusive. Compared with the time of receipt, not with a clock. */
  readonly receivedBefore: number
  /** Dead letters too. */
  readonly dead: boolean
}

/** The state of an event as a whole. Each has its own retention time. */
export type Fate = 'aside' | 'unhandled' | 'succeeded' | 'dead' | 'waiting'

export function fateOf({ aside, deliveries }: Kept): Fate {
  if (aside !== undefined) return 'aside'
  if (deliveries.length === 0) return 'unhandled'
  if (deliveries.some(({ state }) => state === 'pending' || state === 'leased')) return 'waiting'
  return deliveries.some(({ state }) => state === 'dead') ? 'dead' : 'succeeded'
}

/**
 * Returns, for a type and a fate, the latest time of receipt at which an event may be pruned: epoch ms, -Infinity for never.
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

/** How long an event is kept from its receipt, in ms; Infinity while a delivery is pending. */
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

/** Whether an unknown arrival may be a copy of an event whose key was deleted. Events without createInstant are never stale. */
export function isStale({ key, source }: Arrival, now: number): boolean {
  return source === 'door' && key.createInstant !== 0 && key.createInstant < now - keysOutliveMs
}
