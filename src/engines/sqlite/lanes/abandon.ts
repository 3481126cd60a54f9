import { abandonAfterMs, type AbandonStep, type IdleHandler } from '../../../model/idle-handler.ts'
import { nodeOutlivesMs } from '../../../model/stats.ts'
import type { Registry } from '../registry.ts'
import { prepareFindWaiting } from './find-waiting.ts'
import { query, type SqliteSql } from '../sql.ts'

/** How many deliveries one step ends. */
const stepLimit = 200

/** Sets the idle time of these handlers back, because a process runs them. The table of handlers is a few rows. */
export function prepareMarkRun(db: SqliteSql, registry: Registry): (handlers: readonly string[]) => void {
  const reset = db.prepare(`
    update fw_handlers set idle = 0, abandoned = null
    where (idle <> 0 or abandoned is not null) and name in (select value from json_each(?))
  `)
  return (handlers) => {
    if (reset.run(JSON.stringify(handlers)).changes !== 0) registry.reload()
  }
}

/** Adds to the idle time of every handler that no process runs. A handler that reaches the limit is abandoned. */
export function prepareCountIdle(
  db: SqliteSql,
  registry: Registry,
): (ms: number, now: number) => readonly IdleHandler[] {
  // Reads fw_nodes, too, because a process of an older version beats without setting `idle` back.
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
  return (ms, now) => {
    addIdle.run({ ms: Math.round(ms), seenAfter: now - nodeOutlivesMs })
    if (markAbandoned.run(now, abandonAfterMs).changes !== 0) registry.reload()
    return list
      .all()
      .map(({ name, idle, abandoned }) => ({ handler: name, idleMs: idle, abandoned: abandoned !== null }))
  }
}

/** Ends deliveries that wait for abandoned handlers, a step at a time. */
export function prepareAbandon(db: SqliteSql, registry: Registry): () => AbandonStep {
  const findWaiting = prepareFindWaiting(db)
  // Index: primary key (seq, handler).
  const end = db.prepare(`
    update fw_deliveries set state = 'succeeded', reason = 'abandoned', due = null, leased = 0, company = 0, failing = null, held = null
    where seq = ? and handler = ? and state in ('intake', 'parked', 'head')
  `)
  return () => {
    let deliveries = 0
    for (const { id, abandonedAt } of registry.all()) {
      if (abandonedAt === undefined) continue
      const seqs = findWaiting(id, stepLimit - deliveries)
      for (const seq of seqs) end.run(seq, id)
      deliveries += seqs.length
      if (deliveries === stepLimit) return { deliveries, more: true }
    }
    return { deliveries, more: false }
  }
}
