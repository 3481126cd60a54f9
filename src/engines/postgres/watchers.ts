import { randomUUID } from 'node:crypto'
import type { Database } from './storage/database.ts'
import { execute, type PostgresClient, sizeOf, statement } from './sql.ts'

/** Tells watchers that a delivery may have become claimable, here or at another node. */
export interface Watchers {
  add(wake: () => void): Disposable
  /** This node's watchers. */
  wake(): void
  /** Every node's. */
  announce(): void
  close(): void
}

/** The net: for notifications that never come, as behind a pooler that shares connections by transaction. */
const pollMs = 1_000
/** Between two notifications: each takes a lock that is one for the whole server. */
const gapMs = 20
const reconnectMs = 1_000
/** Of a smaller pool none is spared to listen: an atomic handler may have one to itself, and one must be left for the rest. */
const smallestListening = 3

/** Real timers: other nodes live in real time. None of them keeps this process alive. */
export function createWatchers(database: Database, schema: string): Watchers {
  const watchers = new Set<() => void>()
  const node = randomUUID()
  const notify = prepareNotify(schema)
  let poll: NodeJS.Timeout | undefined
  let reconnecting: NodeJS.Timeout | undefined
  let listener: PostgresClient | undefined
  let connecting = false
  let announcing = false
  let again = false
  let waking = false

  function wake(): void {
    if (waking || watchers.size === 0) return
    waking = true
    queueMicrotask(() => {
      waking = false
      for (const watcher of watchers) watcher()
    })
  }

  async function listen(): Promise<void> {
    if (listener !== undefined || connecting || watchers.size === 0) return
    connecting = true
    try {
      const pool = await database.pool()
      if (sizeOf(pool) < smallestListening) return // The poll looks.
      const client = await pool.connect()
      listener = client
      client.on('error', () => deafen(client))
      client.on('end', () => deafen(client))
      client.on('notification', ({ payload }) => {
        if (payload !== node) wake()
      })
      await execute(client, `listen ${schema}`)
      wake() // For whatever was said while nobody listened.
    } catch {
      if (listener !== undefined) deafen(listener)
      else listenLater()
    } finally {
      connecting = false
      if (watchers.size === 0 && listener !== undefined) deafen(listener)
    }
  }

  function deafen(client: PostgresClient): void {
    if (listener !== client) return
    listener = undefined
    client.unref?.() // A silent server would keep the process alive by it.
    client.release(true)
    listenLater()
  }

  function listenLater(): void {
    if (watchers.size === 0) return
    clearTimeout(reconnecting)
    reconnecting = setTimeout(() => void listen(), reconnectMs).unref()
  }

  /** Never rejects: what nobody was told of, the poll finds. */
  async function announceSoon(): Promise<void> {
    announcing = true
    do {
      again = false
      await database.once((client) => notify(client, node)).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, gapMs).unref())
    } while (again)
    announcing = false
  }

  function close(): void {
    watchers.clear()
    clearInterval(poll)
    clearTimeout(reconnecting)
    poll = reconnecting = undefined
    if (listener !== undefined) deafen(listener)
  }

  return {
    add(watcher) {
      watchers.add(watcher)
      poll ??= setInterval(wake, pollMs).unref()
      void listen() // Never rejects: it tries again, and meanwhile the poll looks.
      return {
        [Symbol.dispose]() {
          watchers.delete(watcher)
          if (watchers.size === 0) close()
        },
      }
    },
    wake,
    announce() {
      wake()
      again = true
      if (!announcing) void announceSoon()
    },
    close,
  }
}

/** By itself, after the commit it tells of, and not worth a sync: inside that commit it would make all of them wait for each other. */
function prepareNotify(schema: string): (client: PostgresClient, node: string) => Promise<unknown> {
  return statement(
    `${schema}.notify`,
    `
    select pg_notify('${schema.replaceAll('"', '')}', $1)
    where (select set_config('synchronous_commit', 'off', true)) = 'off'
    `,
  )
}
