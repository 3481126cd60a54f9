import type { Appended } from '../../model/engine.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { EventKey } from '../../model/event-key.ts'
import { refusalErased } from '../../model/kept.ts'
import { isStale } from '../../model/retention.ts'
import { bucketOf } from './bucket.ts'
import { subjectsForgetting } from './tend/erase.ts'
import type { Erased } from './tend/erased.ts'
import { isPoison } from './errors.ts'
import type { InboxTime } from './storage/inbox-time.ts'
import type { Registry } from './registry.ts'
import { attempting } from './write/savepoint.ts'
import { query, type SqliteSql } from './sql.ts'
import { subjectHash } from './subject.ts'

/**
 * Appends arrivals inside the caller's transaction, each with its deliveries, and touches no lane: they enter their handlers' intake.
 * Throws at the first that cannot be stored; with `careful`, quarantines it and goes on.
 */
export function appending(
  db: SqliteSql,
  registry: Registry,
  erased: Erased,
  hasRoom: (type: string) => boolean,
  time: Pick<InboxTime, 'judged' | 'saw'>,
): (arrivals: readonly Arrival[], careful: boolean, now: number) => readonly Appended[] {
  const insertEvent = inserting(db)
  const insertDelivery = deliveryInserting(db)
  const insertSubject = subjectInserting(db)
  const insertUnwanted = prepareInsertUnwanted(db)
  const findEvent = finding(db)
  const deleteEvent = deleting(db)
  const setAside = settingAside(db)
  const quarantine = quarantining(db)
  const attempt = attempting(db)

  function append(arrival: Arrival, now: number): Appended {
    if (!hasRoom(arrival.type))
      return findEvent(arrival.key) === undefined ? 'full' : appendKnown(arrival, now)
    if (isStale(arrival, now) && isStale(arrival, time.judged())) return appendStale(arrival, now)
    if (erased.has(arrival)) {
      return insertEvent(blank(arrival), 'erased', null, now) === undefined
        ? appendKnown(arrival, now)
        : 'stored'
    }
    const wanting = arrival.refused === undefined ? registry.wanting(arrival) : []
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
      // Accepted at last: it takes its place in the order now, behind what was answered meanwhile.
      deleteEvent(known.seq)
      return append(arrival, now)
    }
    if (known !== undefined && Buffer.compare(known.hash, arrival.hash) === 0) return 'duplicate'
    if (!erased.has(arrival)) setAside('conflict', arrival, now)
    return 'conflict'
  }

  function appendStale(arrival: Arrival, now: number): Appended {
    if (findEvent(arrival.key) !== undefined) return appendKnown(arrival, now)
    if (!erased.has(arrival)) setAside('stale', arrival, now)
    return 'stale'
  }

  function appendOrQuarantine(arrival: Arrival, now: number): Appended {
    const attempted = attempt(() => append(arrival, now))
    if ('value' in attempted) return attempted.value
    if (!isPoison(attempted.error)) throw attempted.error
    quarantine(arrival, now)
    return 'quarantined'
  }

  return (arrivals, careful, now) => {
    time.saw(arrivals.map(({ key, source }) => (source === 'door' ? key.createInstant : 0)))
    return arrivals.map((arrival) => (careful ? appendOrQuarantine : append)(arrival, now))
  }
}

/** The new event's seq, undefined when its key is known. Index: unique (created, tenant, id). */
function inserting(
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

/** Without the body, and with none of a gate's own words. It stays refused, so that a resend asks the gate again. */
function blank({ key, type, source, receivedAt, hash, refused }: Arrival): Inserted {
  const still = refused === undefined ? {} : { refused: refusalErased }
  return { key, type, source, receivedAt, hash, body: null, ...still }
}

/** Index: primary key (seq, handler) and fw_intake, both at their right end. */
function deliveryInserting(db: SqliteSql): (seq: number, handler: number, lane: string | null) => void {
  const insert = db.prepare('insert into fw_deliveries (seq, handler, lane) values (?, ?, ?)')
  return (seq, handler, lane) => void insert.run(seq, handler, lane)
}

/** Index: primary key (bucket, subject, seq). */
function subjectInserting(db: SqliteSql): (subject: string, seq: number) => void {
  const insert = db.prepare('insert into fw_subjects (bucket, subject, seq) values (?, ?, ?)')
  return (subject, seq) => void insert.run(bucketOf(seq), subjectHash(subject), seq)
}

function prepareInsertUnwanted(db: SqliteSql): (seq: number, arrival: Arrival) => void {
  const insert = db.prepare('insert into fw_unwanted (seq, received) values (?, ?)')
  return (seq, { receivedAt }) => void insert.run(seq, Math.round(receivedAt))
}

/** Index: unique (created, tenant, id). */
function finding(
  db: SqliteSql,
): (key: EventKey) => { seq: number; hash: Uint8Array; refused: string | null } | undefined {
  const find = query<{ seq: number; hash: Uint8Array; refused: string | null }>(
    db,
    'select seq, hash, refused from fw_events where created = ? and tenant = ? and id = ?',
  )
  return (key) => find.get(key.createInstant, key.tenantId, key.id)
}

/** With all of its subjects: those of the bytes that were refused, which the accepted ones may not name. */
function deleting(db: SqliteSql): (seq: number) => void {
  const deleteEvent = db.prepare('delete from fw_events where seq = ?')
  const forgetSubjects = subjectsForgetting(db)
  return (seq) => {
    deleteEvent.run(seq)
    forgetSubjects([seq])
  }
}

/** Once, however often it is sent. Index: unique (hash). */
function settingAside(db: SqliteSql): (kind: 'conflict' | 'stale', arrival: Arrival, now: number) => void {
  const insert = db.prepare(`
    insert into fw_aside (kind, created, tenant, id, type, source, received, hash, body, kept, lane, subjects, accepted)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ${acceptedAtLast}
  `)
  return (kind, { key, type, source, receivedAt, hash, body, lane, subjects, refused }, now) => {
    insert.run(
      kind,
      key.createInstant,
      key.tenantId,
      key.id,
      type,
      source,
      Math.round(receivedAt),
      hash,
      body,
      now,
      lane ?? null,
      JSON.stringify(subjects),
      refused === undefined ? 1 : 0,
    )
  }
}

/** The bytes alone: any of the other fields may be what no column takes. Index: unique (hash). */
function quarantining(db: SqliteSql): (arrival: Arrival, now: number) => void {
  const insert = db.prepare(`
    insert into fw_aside (kind, hash, body, kept, accepted) values ('quarantined', ?, ?, ?, ?)
    ${acceptedAtLast}
  `)
  return ({ hash, body, refused }, now) => void insert.run(hash, body, now, refused === undefined ? 1 : 0)
}

/** A gate that refused these bytes may let a resend pass. */
const acceptedAtLast = `
    on conflict (hash) do update set accepted = 1 where excluded.accepted = 1 and fw_aside.accepted = 0`
