import { abandonAfterMs, type AbandonStep, type IdleHandler } from '../../../model/idle-handler.ts'
import { nodeOutlivesMs } from '../../../model/stats.ts'
import type { Registry } from '../registry.ts'
import { prepareFindWaiting } from './find-waiting.ts'
import { query, type SqliteSql } from '../sql.ts'

/** How many deliveries one step ends. */
const stepLimit = 200

/** Counts for how long each handler has not been run, and abandons it, inside the caller's transaction. */
export interface Abandonment {
  /** A process runs these handlers. */
  markRun(handlers: readonly string[]): void
  /** Adds to the idle time of every handler; those that reach the limit are abandoned. */
  countIdle(ms: number, now: number): readonly IdleHandler[]
  /** Ends deliveries that wait for abandoned handlers. */
  abandon(): AbandonStep
}

/** The table of handlers is a few rows. */
export function abandonment(db: SqliteSql, registry: Registry): Abandonment {
  const reset = db.prepare(`
    update fw_handlers set idle = 0, abandoned = null
    where (idle <> 0 or abandoned is not null) and name in (select value from json_each(?))
  `)
  // A process of an older version beats without setting idle back.
  const addIdle = db.prepare(`
    update fw_handlers set idle = iif(
      exists (select 1 from fw_nodes n, json_each(n.handlers) runs where n.seen > :seenAfter and runs.value = fw_handlers.name),
      0, idle + :ms)
  `)
  const markAbandoned = db.prepare(
    'update fw_handlers set abandoned = ? where abandoned is null and idle >= ?',
  )
  const list = query<{ name: string; idle: number; abandoned: number | null }>(
    db,
    'select name, idle, abandoned from fw_handlers order by name',
  )
  const findWaiting = prepareFindWaiting(db)
  const end = prepareEnd(db)

  return {
    markRun(handlers) {
      if (reset.run(JSON.stringify(handlers)).changes !== 0) registry.reload()
    },
    countIdle(ms, now) {
      addIdle.run({ ms: Math.round(ms), seenAfter: now - nodeOutlivesMs })
      if (markAbandoned.run(now, abandonAfterMs).changes !== 0) registry.reload()
      return list
        .all()
        .map(({ name, idle, abandoned }) => ({ handler: name, idleMs: idle, abandoned: abandoned !== null }))
    },
    abandon() {
      let deliveries = 0
      for (const { id, abandonedAt } of registry.all()) {
        if (abandonedAt === undefined) continue
        const seqs = findWaiting(id, stepLimit - deliveries)
        for (const seq of seqs) end.run(seq, id)
        deliveries += seqs.length
        if (deliveries === stepLimit) return { deliveries, more: true }
      }
      return { deliveries, more: false }
    },
  }
}

/** Index: primary key (seq, handler). */
function prepareEnd(db: SqliteSql) {
  return db.prepare(`
    update fw_deliveries set state = 'succeeded', reason = 'abandoned', due = null, leased = 0, company = 0, failing = null, held = null
    where seq = ? and handler = ? and state in ('intake', 'parked', 'head')
  `)
}
