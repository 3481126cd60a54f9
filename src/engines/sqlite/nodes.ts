import { type Node, nodeOutlivesMs } from '../../model/stats.ts'
import { query, type SqliteSql } from './sql.ts'

/** Who works on this inbox, and who has which duty; inside the caller's transaction. */
export interface Nodes {
  beat(node: Node, now: number): void
  leave(nodeId: string): void
  hold(duty: string, nodeId: string, now: number, until: number): boolean
}

/** Both tables are a few rows. Index: their primary keys. */
export function nodes(db: SqliteSql): Nodes {
  const upsert = db.prepare(`
    insert into fw_nodes (id, host, pid, started, seen, handlers) values (?, ?, ?, ?, ?, ?)
    on conflict (id) do update set seen = excluded.seen, handlers = excluded.handlers
  `)
  const forget = db.prepare('delete from fw_nodes where seen < ?')
  const remove = db.prepare('delete from fw_nodes where id = ?')
  const drop = db.prepare('delete from fw_duties where node = ?')
  const take = query<unknown>(
    db,
    `
    insert into fw_duties (name, node, until) values (:duty, :node, :until)
    on conflict (name) do update set node = excluded.node, until = excluded.until
    where node = excluded.node or until <= :now
    returning 1
    `,
  )
  return {
    beat({ id, host, pid, startedAt, handlers }, now) {
      upsert.run(id, host, pid, Math.round(startedAt), now, JSON.stringify(handlers))
      forget.run(now - 10 * nodeOutlivesMs)
    },
    leave(nodeId) {
      remove.run(nodeId)
      drop.run(nodeId)
    },
    hold: (duty, node, now, until) => take.get({ duty, node, now, until: Math.ceil(until) }) !== undefined,
  }
}
