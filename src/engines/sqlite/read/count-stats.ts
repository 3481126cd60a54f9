import type { HandlerStats, Stats } from '../../../model/stats.ts'
import type { Registry } from '../registry.ts'
import { query, type SqliteSql } from '../sql.ts'

export function prepareCountStats(db: SqliteSql, registry: Registry): () => Stats {
  const countEvents = query<{ count: number }>(db, 'select count(*) as count from fw_events')
  const countHandler = prepareCountHandler(db)
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

/**
 * Indexes: fw_intake, fw_parked, fw_due, fw_dead. The oldest delivery is never a parked one, because it is younger than the head of its lane.
 */
export function prepareCountHandler(db: SqliteSql): (handler: number) => HandlerCounts {
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
