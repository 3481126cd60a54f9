import { type Fate, prunableUntil, type ReceivedBefore, type Retention } from '../../../model/retention.ts'
import { disorderMs } from './find.ts'

/** Which events of one type and fate have outlived their retention. */
export interface Horizon {
  /** Events from this seq on stay. */
  readonly seq: number
  /** From this seq to `seq`, only events that arrived out of order may be pruned: the time of receipt of each is compared. */
  readonly inOrderUntil: number
  /** Epoch ms, inclusive. */
  readonly receivedUntil: number
}

const never: Horizon = { seq: -Infinity, inOrderUntil: -Infinity, receivedUntil: -Infinity }

/** Gives the horizon of a type and fate. `last` is the largest seq of all horizons. */
export function createHorizons(
  what: Retention | ReceivedBefore,
  pressed: boolean,
  now: number,
  findPosition: (instant: number) => number,
): { (type: string, fate: Fate): Horizon; readonly last: number } {
  const horizons = new Map<number, Horizon>()
  const prunable = prunableUntil(what, now)

  function horizonAt(receivedUntil: number): Horizon {
    if (receivedUntil === -Infinity) return never
    const known = horizons.get(receivedUntil)
    if (known !== undefined) return known
    const from = Math.floor(receivedUntil) + 1
    const inOrderUntil = findPosition(from)
    // By retention, an event that arrived out of order is pruned a little later. A person who names an instant expects all of them to go now.
    const seq = 'receivedBefore' in what ? findPosition(from + disorderMs) : inOrderUntil
    const horizon = { receivedUntil, inOrderUntil, seq }
    horizons.set(receivedUntil, horizon)
    return horizon
  }

  function until(type: string, fate: Fate): Horizon {
    const early = pressed && (fate === 'unhandled' || fate === 'succeeded')
    return horizonAt(early ? Number.MAX_SAFE_INTEGER : prunable(type, fate))
  }

  const types = 'receivedBefore' in what ? [''] : ['', ...Object.keys(what.types ?? {})]
  const all = types.flatMap((type) =>
    (['unhandled', 'succeeded', 'dead'] as const).map((fate) => until(type, fate).seq),
  )
  return Object.assign(until, { last: Math.max(...all) })
}
