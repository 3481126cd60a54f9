import type { Arrival } from '../../model/arrival.ts'
import type { SqliteSql } from './sql.ts'

/** Keeps an event without deliveries. Copies with the same bytes are kept once. Index: unique (hash). */
export function prepareSetAside(
  db: SqliteSql,
): (kind: 'conflict' | 'stale', arrival: Arrival, now: number) => void {
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

/** Keeps only the bytes, because any other field may be the one that the database rejected. Index: unique (hash). */
export function prepareQuarantine(db: SqliteSql): (arrival: Arrival, now: number) => void {
  const insert = db.prepare(`
    insert into fw_aside (kind, hash, body, kept, accepted) values ('quarantined', ?, ?, ?, ?)
    ${acceptedAtLast}
  `)
  return ({ hash, body, refused }, now) => void insert.run(hash, body, now, refused === undefined ? 1 : 0)
}

/** A gate that refused these bytes may accept a resend of them. */
const acceptedAtLast = `
    on conflict (hash) do update set accepted = 1 where excluded.accepted = 1 and fw_aside.accepted = 0`
