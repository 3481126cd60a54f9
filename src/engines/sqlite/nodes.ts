import { type Node, nodeOutlivesMs } from '../../model/stats.ts'
import { query, type SqliteSql } from './sql.ts'

/** The processes that work on this inbox, and their duties. Inside the caller's transaction. */
export interface Nodes {
  beat(node: Node, now: number): void
  leave(nodeId: string): void
  hold(duty: string, nodeId: string, now: number, until: number): boolean
}

/** Both tables have a few rows. Index: their primary keys. */
export function createNodes(db: SqliteSql): Nodes {
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

interface NodeRow {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly started: number
  readonly seen: number
  readonly handlers: string
}

/** The processes that gave a sign of life after an instant. */
export function prepareFindNodes(db: SqliteSql): (seenAfter: number) => readonly Node[] {
  const find = query<NodeRow>(
    db,
    'select id, host, pid, started, seen, handlers from fw_nodes where seen > ? order by started, id',
  )
  return (seenAfter) =>
    find.all(seenAfter).map(({ started, seen, handlers, ...node }) => ({
      ...node,
      startedAt: started,
      seenAt: seen,
      handlers: JSON.parse(handlers) as readonly string[], // Written by `beat`.
    }))
}
