import type { DeliveryState } from '../../../model/delivery-state.ts'
import type { Copy } from '../../../model/arrival.ts'
import type { EventKey } from '../../../model/event-key.ts'
import { keptDeliveryOf, type KeptDeliveryRow, keptOf, type KeptRow } from '../../../model/event-row.ts'
import type { Kept } from '../../../model/kept.ts'
import { query, type SqliteSql } from '../sql.ts'

/** Whether a copy with the same key and bytes was accepted before. Indexes: unique (created, tenant, id), unique (hash). */
export function prepareFindKnown(db: SqliteSql): (copy: Copy) => boolean {
  const find = query<unknown>(
    db,
    'select 1 from fw_events where created = ? and tenant = ? and id = ? and hash = ? and refused is null',
  )
  const findAside = query<unknown>(db, 'select 1 from fw_aside where hash = ? and accepted = 1')
  return ({ key: { createInstant, tenantId, id }, hash }) =>
    find.get(createInstant, tenantId, id, hash) !== undefined || findAside.get(hash) !== undefined
}

export function prepareGetEvent(db: SqliteSql): (key: EventKey) => Kept | undefined {
  const find = prepareFindSeq(db)
  const read = prepareLoadEvent(db)
  return (key) => {
    const seq = find(key)
    return seq === undefined ? undefined : read(seq, true)
  }
}

/** Loads the event at a position, with its deliveries. */
export function prepareLoadEvent(db: SqliteSql): (seq: number, bodies: boolean) => Kept | undefined {
  const findEvent = prepareFindEvent(db)
  const findBody = prepareFindBody(db)
  const findDeliveries = prepareFindDeliveries(db)
  return (seq, bodies) => {
    const event = findEvent(seq)
    if (event === undefined) return undefined
    const body = bodies && event.gone === null ? findBody(seq) : undefined
    const deliveries = findDeliveries(seq).map((row) => keptDeliveryOf(row, stateOf(row)))
    return keptOf(event, body, deliveries)
  }
}

/** Index: unique (created, tenant, id). */
function prepareFindSeq(db: SqliteSql): (key: EventKey) => number | undefined {
  const find = query<{ seq: number }>(
    db,
    'select seq from fw_events where created = ? and tenant = ? and id = ?',
  )
  return ({ createInstant, tenantId, id }) => find.get(createInstant, tenantId, id)?.seq
}

/** Index: primary key (seq), as for the next. */
function prepareFindEvent(db: SqliteSql): (seq: number) => KeptRow | undefined {
  const find = query<KeptRow>(
    db,
    `
    select created, tenant, id, type, source, received, kept, coalesce(length(body), 0) as size, gone, refused
    from fw_events where seq = ?
    `,
  )
  return (seq) => find.get(seq)
}

function prepareFindBody(db: SqliteSql): (seq: number) => Uint8Array | undefined {
  const find = query<{ body: Uint8Array | null }>(db, 'select body from fw_events where seq = ?')
  return (seq) => find.get(seq)?.body ?? undefined
}

interface DeliveryRow extends KeptDeliveryRow {
  readonly state: 'intake' | 'parked' | 'head' | 'succeeded' | 'dead'
  readonly leased: number
}

/** Index: primary key (seq, handler). */
function prepareFindDeliveries(db: SqliteSql): (seq: number) => readonly DeliveryRow[] {
  const find = query<DeliveryRow>(
    db,
    `
    select h.name as handler, d.state, d.leased, d.attempts, d.reason, d.failures
    from fw_deliveries d cross join fw_handlers h on h.id = d.handler
    where d.seq = ? order by d.handler
    `,
  )
  return (seq) => find.all(seq)
}

function stateOf({ state, leased, reason }: DeliveryRow): DeliveryState {
  if (reason === 'abandoned') return 'abandoned'
  switch (state) {
    case 'intake':
    case 'parked':
      return 'pending'
    case 'head':
      return leased === 1 ? 'leased' : 'pending'
    case 'succeeded':
    case 'dead':
      return state
  }
}
