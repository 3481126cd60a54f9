import type { DeliveryState } from '../../../model/delivery-state.ts'
import type { Copy } from '../../../model/arrival.ts'
import type { EventKey } from '../../../model/event-key.ts'
import { keptDeliveryOf, type KeptDeliveryRow, keptOf, type KeptRow } from '../../../model/event-row.ts'
import type { Kept } from '../../../model/kept.ts'
import type { HandlerStats, Stats } from '../../../model/stats.ts'
import type { Registry } from '../registry.ts'
import { query, type SqliteSql } from '../sql.ts'

/** Indexes: unique (created, tenant, id), unique (hash). */
export function knowing(db: SqliteSql): (copy: Copy) => boolean {
  const find = query<unknown>(
    db,
    'select 1 from fw_events where created = ? and tenant = ? and id = ? and hash = ? and refused is null',
  )
  const findAside = query<unknown>(db, 'select 1 from fw_aside where hash = ? and accepted = 1')
  return ({ key: { createInstant, tenantId, id }, hash }) =>
    find.get(createInstant, tenantId, id, hash) !== undefined || findAside.get(hash) !== undefined
}

export function getting(db: SqliteSql): (key: EventKey) => Kept | undefined {
  const find = findingSeq(db)
  const read = reading(db)
  return (key) => {
    const seq = find(key)
    return seq === undefined ? undefined : read(seq, true)
  }
}

/** The event at this place with its deliveries. */
export function reading(db: SqliteSql): (seq: number, bodies: boolean) => Kept | undefined {
  const findEvent = findingEvent(db)
  const findBody = findingBody(db)
  const findDeliveries = findingDeliveries(db)
  return (seq, bodies) => {
    const event = findEvent(seq)
    if (event === undefined) return undefined
    const body = bodies && event.gone === null ? findBody(seq) : undefined
    const deliveries = findDeliveries(seq).map((row) => keptDeliveryOf(row, stateOf(row)))
    return keptOf(event, body, deliveries)
  }
}

/** Index: unique (created, tenant, id). */
function findingSeq(db: SqliteSql): (key: EventKey) => number | undefined {
  const find = query<{ seq: number }>(
    db,
    'select seq from fw_events where created = ? and tenant = ? and id = ?',
  )
  return ({ createInstant, tenantId, id }) => find.get(createInstant, tenantId, id)?.seq
}

/** Index: primary key (seq), as for the next. */
function findingEvent(db: SqliteSql): (seq: number) => KeptRow | undefined {
  const find = query<KeptRow>(
    db,
    `
    select created, tenant, id, type, source, received, kept, coalesce(length(body), 0) as size, gone, refused
    from fw_events where seq = ?
    `,
  )
  return (seq) => find.get(seq)
}

function findingBody(db: SqliteSql): (seq: number) => Uint8Array | undefined {
  const find = query<{ body: Uint8Array | null }>(db, 'select body from fw_events where seq = ?')
  return (seq) => find.get(seq)?.body ?? undefined
}

interface DeliveryRow extends KeptDeliveryRow {
  readonly state: 'intake' | 'parked' | 'head' | 'succeeded' | 'dead'
  readonly leased: number
}

/** Index: primary key (seq, handler). */
function findingDeliveries(db: SqliteSql): (seq: number) => readonly DeliveryRow[] {
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

export function counting(db: SqliteSql, registry: Registry): () => Stats {
  const countEvents = query<{ count: number }>(db, 'select count(*) as count from fw_events')
  const countHandler = countingHandler(db)
  return () => ({
    events: countEvents.get()?.count ?? 0,
    handlers: registry.all().map(({ id, handler, abandonedAt }) => ({
      ...statsOf(handler, countHandler(id)),
      ...(abandonedAt !== undefined && { abandonedAt }),
    })),
  })
}

export function statsOf(handler: string, { pending, dead, oldest }: HandlerCounts): HandlerStats {
  return { handler, pending, dead, ...(oldest !== null && { oldestPendingAt: oldest }) }
}

interface HandlerCounts {
  readonly pending: number
  readonly dead: number
  readonly oldest: number | null
}

/** Indexes: fw_intake, fw_parked, fw_due, fw_dead. What is parked is younger than its head, so it has not the oldest. */
export function countingHandler(db: SqliteSql): (handler: number) => HandlerCounts {
  const count = query<HandlerCounts>(
    db,
    `
    with
      intake as (
        select count(*) as count, min(seq) as oldest from fw_deliveries indexed by fw_intake
        where handler = :handler and state = 'intake'),
      parked as (
        select count(*) as count from fw_deliveries indexed by fw_parked
        where handler = :handler and state = 'parked'),
      heads as (
        select count(*) as count, min(seq) as oldest from fw_deliveries indexed by fw_due
        where handler = :handler and state = 'head'),
      dead as (
        select count(*) as count from fw_deliveries indexed by fw_dead
        where handler = :handler and state = 'dead')
    select
      intake.count + parked.count + heads.count as pending,
      dead.count as dead,
      (select received from fw_events
        where seq = coalesce(min(intake.oldest, heads.oldest), intake.oldest, heads.oldest)) as oldest
    from intake, parked, heads, dead
    `,
  )
  return (handler) => count.get({ handler }) ?? { pending: 0, dead: 0, oldest: null }
}
