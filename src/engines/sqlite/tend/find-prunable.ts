import {
  type Fate,
  keysOutliveMs,
  keysOutlivePressureMs,
  prunableUntil,
  type ReceivedBefore,
  type Retention,
} from '../../../model/retention.ts'
import { pressureLimit } from '../../../model/has-room.ts'
import { bucketOf } from '../bucket-of.ts'
import { query, type SqliteSql } from '../sql.ts'
import { prepareMeasureBytes } from '../storage/measure-bytes.ts'
import { fateOf } from './fate-of.ts'
import { prepareFindPosition } from './find-position.ts'
import { createHorizons } from './horizon.ts'

/** Rows that may be pruned, as they were when they were read. The statements that delete them check again. */
export interface Prunable {
  readonly kind: 'events' | 'asides' | 'unwanted' | 'keys'
  readonly rows: readonly PrunableRow[]
  readonly next?: string
  /** The file is past the pressure limit of `maxBytes`. */
  readonly pressed?: boolean
}

export interface PrunableRow {
  readonly seq: number
  readonly receivedUntil: number
  /** Of events. An event whose fate has changed since stays, because the other fate has its own retention. */
  readonly fate?: Fate
}

/** How many rows one step prunes. It writes a megabyte, and appends in the same commit wait for that. */
const stepLimit = 64
/** How many buckets, of a thousand events each, one step searches. */
const bucketLimit = 8

/**
 * Finds rows that have outlived their retention, oldest first: events, then set-aside events, then keys of events that no handler wanted, then
 * all other keys. Reads no bodies, only indexes of a hundredth of the inbox's size, so that it can run every hour.
 */
export function prepareFindPrunable(
  db: SqliteSql,
): (what: Retention | ReceivedBefore, after: string | undefined, now: number) => Prunable {
  const findPosition = prepareFindPosition(db)
  const nextBucket = query<{ bucket: number }>(
    db,
    `
    select seq / 1024 as bucket from fw_events indexed by fw_types
    where seq / 1024 >= ? and body is not null
    order by seq / 1024 limit 1
    `,
  )
  const findFates = prepareFindFates(db)
  const findReceived = query<{ received: number }>(db, 'select received from fw_events where seq = ?')
  const findSetAside = prepareFindSetAside(db)
  const findUnwanted = prepareFindUnwanted(db)
  const findKeys = prepareFindKeys(db)
  const measureBytes = prepareMeasureBytes(db)

  function isPressed(what: Retention | ReceivedBefore): boolean {
    const maxBytes = 'maxBytes' in what ? what.maxBytes : undefined
    return maxBytes !== undefined && measureBytes() > pressureLimit(maxBytes)
  }

  function findEvents(
    what: Retention | ReceivedBefore,
    pressed: boolean,
    after: number,
    now: number,
  ): Prunable {
    const horizonOf = createHorizons(what, pressed, now, findPosition)
    const rows: PrunableRow[] = []
    let bucket = nextBucket.get(bucketOf(after))?.bucket
    for (let looked = 0; bucket !== undefined && looked < bucketLimit; looked++) {
      const found = findFates(bucket)
        .map(({ seq, type, fate }) => ({ seq, fate, horizon: horizonOf(type, fate) }))
        .filter(({ seq, horizon }) => seq > after && seq < horizon.seq)
        .filter(
          ({ seq, horizon }) =>
            seq < horizon.inOrderUntil ||
            (findReceived.get(seq)?.received ?? Infinity) <= horizon.receivedUntil,
        )
        .toSorted((a, b) => a.seq - b.seq)
      for (const { seq, fate, horizon } of found) {
        rows.push({ seq, fate, receivedUntil: horizon.receivedUntil })
        if (rows.length === stepLimit) return { kind: 'events', rows, next: `e${seq}` }
      }
      if (bucket * 1_024 > horizonOf.last) break
      bucket = nextBucket.get(bucket + 1)?.bucket
    }
    if (bucket === undefined || bucket * 1_024 > horizonOf.last) return { kind: 'events', rows, next: 'a0' }
    return { kind: 'events', rows, next: `e${bucket * 1_024 - 1}` }
  }

  return (what, after = 'e0', now) => {
    const place = Number(after.slice(1))
    const pressed = isPressed(what)
    const until = prunableUntil(what, now)
    if (after.startsWith('e')) return { ...findEvents(what, pressed, place, now), pressed }
    if (after.startsWith('a')) return { ...findSetAside(place, until('', 'aside')), pressed }
    if (after.startsWith('u'))
      return { ...findUnwanted(place, pressed ? now : until('', 'unhandled')), pressed }
    return { ...findKeys(place, now - (pressed ? keysOutlivePressureMs : keysOutliveMs)), pressed }
  }
}

/** Indexes: fw_types, primary key (seq, handler). */
function prepareFindFates(
  db: SqliteSql,
): (bucket: number) => readonly { readonly seq: number; readonly type: string; readonly fate: Fate }[] {
  const find = query<{ seq: number; type: string; fate: Fate }>(
    db,
    `
    select e.seq, e.type, ${fateOf('e.seq')} as fate
    from fw_events e indexed by fw_types where e.seq / 1024 = ? and e.body is not null
    `,
  )
  return (bucket) => find.all(bucket)
}

/** Index: primary key (seq). */
function prepareFindSetAside(db: SqliteSql): (after: number, receivedUntil: number) => Prunable {
  const find = query<{ seq: number }>(db, 'select seq from fw_aside where seq > ? order by seq limit ?')
  return (after, receivedUntil) => {
    const rows = find.all(after, stepLimit).map(({ seq }) => ({ seq, receivedUntil }))
    const last = rows.at(-1)
    return {
      kind: 'asides',
      rows,
      next: last === undefined || rows.length < stepLimit ? 'u0' : `a${last.seq}`,
    }
  }
}

/** In order of arrival, up to the first that must stay. Index: primary key (seq). */
function prepareFindUnwanted(db: SqliteSql): (after: number, receivedUntil: number) => Prunable {
  const find = query<{ seq: number; received: number }>(
    db,
    'select seq, received from fw_unwanted where seq > ? order by seq limit ?',
  )
  return (after, receivedUntil) => {
    const found = find.all(after, stepLimit)
    const end = found.findIndex(({ received }) => received > receivedUntil)
    const rows = found.slice(0, end === -1 ? found.length : end).map(({ seq }) => ({ seq, receivedUntil }))
    const last = rows.at(-1)
    return {
      kind: 'unwanted',
      rows,
      next: last === undefined || rows.length < stepLimit ? 'k0' : `u${last.seq}`,
    }
  }
}

/** Index: unique (created, tenant, id). */
function prepareFindKeys(db: SqliteSql): (after: number, createdUntil: number) => Prunable {
  const find = query<{ seq: number; created: number; gone: string | null }>(
    db,
    `
    select seq, created, gone from fw_events
    where created > ? and created <= ? order by created limit ?
    `,
  )
  return (after, createdUntil) => {
    const found = find.all(after, createdUntil, stepLimit)
    const last = found.at(-1)
    return {
      kind: 'keys',
      rows: found.filter(({ gone }) => gone !== null).map(({ seq }) => ({ seq, receivedUntil: Infinity })),
      ...(last !== undefined && found.length === stepLimit && { next: `k${last.created}` }),
    }
  }
}
