import type { Appended } from '../../model/engine.ts'
import type { Arrival, EventKey } from '../../model/event.ts'
import { isPoison } from './errors.ts'
import type { Registry } from './registry.ts'
import { attempting } from './savepoint.ts'
import { query, type SqliteSql } from './sql.ts'

/**
 * Appends arrivals inside the caller's transaction, each with its deliveries, and touches no lane: they enter their handlers' intake.
 * Throws at the first that cannot be stored; with `careful`, quarantines it and goes on.
 */
export function appending(
  db: SqliteSql,
  registry: Registry,
): (arrivals: readonly Arrival[], careful: boolean) => readonly Appended[] {
  const insertEvent = inserting(db)
  const insertDelivery = deliveryInserting(db)
  const insertSubject = subjectInserting(db)
  const findEvent = finding(db)
  const deleteEvent = deleting(db)
  const setAside = settingAside(db)
  const quarantine = quarantining(db)
  const attempt = attempting(db)

  function append(arrival: Arrival): Appended {
    const seq = insertEvent(arrival)
    if (seq === undefined) return appendKnown(arrival)
    for (const subject of new Set(arrival.subjects)) insertSubject(subject, seq)
    if (arrival.refused !== undefined) return 'stored'
    for (const handler of registry.wanting(arrival)) {
      insertDelivery(seq, handler.id, handler.ordering === 'none' ? null : (arrival.lane ?? null))
    }
    return 'stored'
  }

  function appendKnown(arrival: Arrival): Appended {
    const known = findEvent(arrival.key)
    if (known !== undefined && known.refused !== null && arrival.refused === undefined) {
      // Accepted at last: it takes its place in the order now, behind what was answered meanwhile.
      deleteEvent(known.seq, arrival.subjects)
      return append(arrival)
    }
    if (known !== undefined && Buffer.compare(known.hash, arrival.hash) === 0) return 'duplicate'
    setAside(arrival)
    return 'conflict'
  }

  function appendOrQuarantine(arrival: Arrival): Appended {
    const attempted = attempt(() => append(arrival))
    if ('value' in attempted) return attempted.value
    if (!isPoison(attempted.error)) throw attempted.error
    quarantine(arrival)
    return 'quarantined'
  }

  return (arrivals, careful) => arrivals.map(careful ? appendOrQuarantine : append)
}

/** The new event's seq, undefined when its key is known. Index: unique (created, tenant, id). */
function inserting(db: SqliteSql): (arrival: Arrival) => number | undefined {
  const insert = db.prepare(`
    insert into fw_events (created, tenant, id, type, source, received, hash, body, refused)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (created, tenant, id) do nothing
  `)
  return ({ key, type, source, receivedAt, hash, body, refused }) => {
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
    )
    return changes === 0 ? undefined : Number(lastInsertRowid)
  }
}

/** Index: primary key (seq, handler) and fw_intake, both at their right end. */
function deliveryInserting(db: SqliteSql): (seq: number, handler: number, lane: string | null) => void {
  const insert = db.prepare('insert into fw_deliveries (seq, handler, lane) values (?, ?, ?)')
  return (seq, handler, lane) => void insert.run(seq, handler, lane)
}

/** Index: primary key (bucket, subject, seq). */
function subjectInserting(db: SqliteSql): (subject: string, seq: number) => void {
  const insert = db.prepare('insert into fw_subjects (bucket, subject, seq) values (?, ?, ?)')
  return (subject, seq) => void insert.run(bucketOf(seq), subject, seq)
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

function deleting(db: SqliteSql): (seq: number, subjects: readonly string[]) => void {
  const deleteEvent = db.prepare('delete from fw_events where seq = ?')
  const deleteSubject = db.prepare('delete from fw_subjects where bucket = ? and subject = ? and seq = ?')
  return (seq, subjects) => {
    deleteEvent.run(seq)
    for (const subject of subjects) deleteSubject.run(bucketOf(seq), subject, seq)
  }
}

/** Once, however often it is sent. Index: unique (hash). */
function settingAside(db: SqliteSql): (arrival: Arrival) => void {
  const insert = db.prepare(`
    insert into fw_aside (kind, created, tenant, id, type, source, received, hash, body)
    values ('conflict', ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (hash) do nothing
  `)
  return ({ key, type, source, receivedAt, hash, body }) => {
    insert.run(key.createInstant, key.tenantId, key.id, type, source, receivedAt, hash, body)
  }
}

/** The bytes alone: any of the other fields may be what no column takes. Index: unique (hash). */
function quarantining(db: SqliteSql): (arrival: Arrival) => void {
  const insert = db.prepare(`
    insert into fw_aside (kind, hash, body) values ('quarantined', ?, ?)
    on conflict (hash) do nothing
  `)
  return ({ hash, body }) => void insert.run(hash, body)
}

function bucketOf(seq: number): number {
  return Math.floor(seq / 1_024)
}
