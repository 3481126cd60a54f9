import type { Appended } from '../../model/engine.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { EventKey } from '../../model/event-key.ts'
import { refusalErased } from '../../model/kept.ts'
import { isStale } from '../../model/retention.ts'
import { bucketOf } from './bucket-of.ts'
import { prepareDeleteSubjects } from './delete-subjects.ts'
import type { ErasedPeople } from './tend/erased-people.ts'
import { isPoison } from './errors.ts'
import type { SharedClock } from './storage/shared-clock.ts'
import type { Registry } from './registry.ts'
import { prepareRunInSavepoint } from './write/run-in-savepoint.ts'
import { prepareQuarantine, prepareSetAside } from './set-aside.ts'
import { query, type SqliteSql } from './sql.ts'
import { subjectHash } from './subject-hash.ts'

/** `careful`: quarantines an arrival that the database rejects. Otherwise it throws, and the caller must roll back. */
export type Append = (arrivals: readonly Arrival[], careful: boolean, now: number) => readonly Appended[]

/**
 * Appends arrivals with their deliveries, inside the caller's transaction. The deliveries enter their handlers' intake; a claim moves them
 * into their lanes: writing a lane index here would double the cost of an append, from 10 to 20 us.
 */
export function prepareAppend(
  db: SqliteSql,
  registry: Registry,
  erasedPeople: ErasedPeople,
  hasRoom: (type: string) => boolean,
  clock: Pick<SharedClock, 'judged' | 'saw'>,
): Append {
  const insertEvent = prepareInsertEvent(db)
  const insertDelivery = prepareInsertDelivery(db)
  const insertSubject = prepareInsertSubject(db)
  const insertUnwanted = prepareInsertUnwanted(db)
  const findEvent = prepareFindEvent(db)
  const deleteEvent = prepareDeleteEvent(db)
  const setAside = prepareSetAside(db)
  const quarantine = prepareQuarantine(db)
  const runInSavepoint = prepareRunInSavepoint(db)

  function append(arrival: Arrival, now: number): Appended {
    if (!hasRoom(arrival.type))
      return findEvent(arrival.key) === undefined ? 'full' : appendKnown(arrival, now)
    if (isStale(arrival, now) && isStale(arrival, clock.judged())) return appendStale(arrival, now)
    if (erasedPeople.has(arrival)) {
      return insertEvent(blank(arrival), 'erased', null, now) === undefined
        ? appendKnown(arrival, now)
        : 'stored'
    }
    const wanting = arrival.refused === undefined ? registry.findWanting(arrival) : []
    if (wanting.length === 0 && arrival.ifUnwanted !== undefined && arrival.refused === undefined) {
      return appendUnwanted(arrival, now)
    }
    const ordered = wanting.some(({ ordering }) => ordering !== 'none')
    const seq = insertEvent(arrival, null, ordered ? null : (arrival.lane ?? null), now)
    if (seq === undefined) return appendKnown(arrival, now)
    for (const subject of new Set(arrival.subjects)) insertSubject(subject, seq)
    for (const handler of wanting) {
      insertDelivery(seq, handler.id, handler.ordering === 'none' ? null : (arrival.lane ?? null))
    }
    return 'stored'
  }

  function appendUnwanted(arrival: Arrival, now: number): Appended {
    if (findEvent(arrival.key) !== undefined) return appendKnown(arrival, now)
    if (arrival.ifUnwanted === 'key') {
      const seq = insertEvent(blank(arrival), 'unwanted', null, now)
      if (seq !== undefined) insertUnwanted(seq, arrival)
    }
    return 'unwanted'
  }

  function appendKnown(arrival: Arrival, now: number): Appended {
    const known = findEvent(arrival.key)
    if (known !== undefined && known.refused !== null && arrival.refused === undefined) {
      // Accepted after a refusal: it comes after the events that were acknowledged meanwhile.
      deleteEvent(known.seq)
      return append(arrival, now)
    }
    if (known !== undefined && Buffer.compare(known.hash, arrival.hash) === 0) return 'duplicate'
    if (!erasedPeople.has(arrival)) setAside('conflict', arrival, now)
    return 'conflict'
  }

  function appendStale(arrival: Arrival, now: number): Appended {
    if (findEvent(arrival.key) !== undefined) return appendKnown(arrival, now)
    if (!erasedPeople.has(arrival)) setAside('stale', arrival, now)
    return 'stale'
  }

  function appendOrQuarantine(arrival: Arrival, now: number): Appended {
    const result = runInSavepoint(() => append(arrival, now))
    if ('value' in result) return result.value
    if (!isPoison(result.error)) throw result.error
    quarantine(arrival, now)
    return 'quarantined'
  }

  return (arrivals, careful, now) => {
    clock.saw(arrivals.map(({ key, source }) => (source === 'door' ? key.createInstant : 0)))
    return arrivals.map((arrival) => (careful ? appendOrQuarantine : append)(arrival, now))
  }
}

/** Returns the new event's seq; undefined when its key is known. Index: unique (created, tenant, id). */
function prepareInsertEvent(
  db: SqliteSql,
): (
  arrival: Inserted,
  gone: 'erased' | 'unwanted' | null,
  lane: string | null,
  now: number,
) => number | undefined {
  const insert = db.prepare(`
    insert into fw_events (created, tenant, id, type, source, received, hash, body, refused, kept, gone, lane, trace)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (created, tenant, id) do nothing
  `)
  return ({ key, type, source, receivedAt, hash, body, refused, trace }, gone, lane, now) => {
    const { changes, lastInsertRowid } = insert.run(
      key.createInstant,
      key.tenantId,
      key.id,
      type,
      source,
      Math.round(receivedAt),
      hash,
      body,
      refused ?? null,
      now,
      gone,
      lane,
      trace ?? null,
    )
    return changes === 0 ? undefined : Number(lastInsertRowid)
  }
}

type Inserted = Pick<Arrival, 'key' | 'type' | 'source' | 'receivedAt' | 'hash' | 'refused' | 'trace'> & {
  readonly body: Uint8Array | null
}

/** Without the body and the gate's reason. A refused event stays refused, so that a resend asks the gate again. */
function blank({ key, type, source, receivedAt, hash, refused }: Arrival): Inserted {
  const still = refused === undefined ? {} : { refused: refusalErased }
  return { key, type, source, receivedAt, hash, body: null, ...still }
}

/** Writes at the right end of both indexes: primary key (seq, handler), fw_intake. */
function prepareInsertDelivery(db: SqliteSql): (seq: number, handler: number, lane: string | null) => void {
  const insert = db.prepare('insert into fw_deliveries (seq, handler, lane) values (?, ?, ?)')
  return (seq, handler, lane) => void insert.run(seq, handler, lane)
}

/** Index: primary key (bucket, subject, seq). */
function prepareInsertSubject(db: SqliteSql): (subject: string, seq: number) => void {
  const insert = db.prepare('insert into fw_subjects (bucket, subject, seq) values (?, ?, ?)')
  return (subject, seq) => void insert.run(bucketOf(seq), subjectHash(subject), seq)
}

function prepareInsertUnwanted(db: SqliteSql): (seq: number, arrival: Arrival) => void {
  const insert = db.prepare('insert into fw_unwanted (seq, received) values (?, ?)')
  return (seq, { receivedAt }) => void insert.run(seq, Math.round(receivedAt))
}

/** Index: unique (created, tenant, id). */
function prepareFindEvent(
  db: SqliteSql,
): (key: EventKey) => { seq: number; hash: Uint8Array; refused: string | null } | undefined {
  const find = query<{ seq: number; hash: Uint8Array; refused: string | null }>(
    db,
    'select seq, hash, refused from fw_events where created = ? and tenant = ? and id = ?',
  )
  return (key) => find.get(key.createInstant, key.tenantId, key.id)
}

/** Deletes all subjects, too: the accepted bytes may name other people than the refused ones. */
function prepareDeleteEvent(db: SqliteSql): (seq: number) => void {
  const deleteEvent = db.prepare('delete from fw_events where seq = ?')
  const deleteSubjects = prepareDeleteSubjects(db)
  return (seq) => {
    deleteEvent.run(seq)
    deleteSubjects([seq])
  }
}
