import { randomUUID } from 'node:crypto'
import { createWatcherSet } from '../../lib/watcher-set.ts'
import { execute, type PostgresClient, sizeOf, statement } from './sql.ts'
import type { Database } from './storage/database.ts'

/** Functions that are called when a delivery may have become claimable, whichever node made it so. */
export interface Watchers {
  add(wake: () => void): Disposable
  /** Wakes the watchers of this node. */
  wake(): void
  /** Wakes the watchers of every node. */
  announce(): void
  close(): void
}

/** Watchers are woken this often even without a notification: behind a pooler that shares connections by transaction none arrives. */
const pollMs = 1_000
/** Between two notifications: each takes a lock that the whole server has only one of. */
const gapMs = 20
const reconnectMs = 1_000
/** A smaller pool has no connection to spare for listening: an atomic handler may have one to itself, and one must be left for the rest. */
const smallestListening = 3

/** Real timers, whatever clock the inbox has: other nodes live in real time. None of them keeps this process alive. */
export function createWatchers(database: Database, schema: string): Watchers {
  const watchers = createWatcherSet(stop)
  const node = randomUUID()
  const notify = prepareNotify(schema)
  let poll: NodeJS.Timeout | undefined
  let reconnecting: NodeJS.Timeout | undefined
  let listener: PostgresClient | undefined
  let connecting = false
  let announcing = false
  let announceAgain = false

  /** Never rejects: after a failure it tries again, and the poll wakes the watchers meanwhile. */
  async function listen(): Promise<void> {
    if (listener !== undefined || connecting || watchers.isEmpty()) return
    connecting = true
    try {
      const pool = await database.pool()
      if (sizeOf(pool) < smallestListening) return
      const client = await pool.connect()
      listener = client
      client.on('error', () => stopListening(client))
      client.on('end', () => stopListening(client))
      client.on('notification', ({ payload }) => {
        if (payload !== node) watchers.wake()
      })
      await execute(client, `listen ${schema}`)
      watchers.wake() // Other nodes may have notified before this one listened.
    } catch {
      if (listener !== undefined) stopListening(listener)
      else listenLater()
    } finally {
      connecting = false
      if (watchers.isEmpty() && listener !== undefined) stopListening(listener)
    }
  }

  function stopListening(client: PostgresClient): void {
    if (listener !== client) return
    listener = undefined
    client.unref?.() // A server that does not answer would keep the process alive by this connection.
    client.release(true)
    listenLater()
  }

  function listenLater(): void {
    if (watchers.isEmpty()) return
    clearTimeout(reconnecting)
    reconnecting = setTimeout(() => void listen(), reconnectMs).unref()
  }

  /** Never rejects: when a notification fails, the polls of the other nodes find the delivery. */
  async function notifyNodes(): Promise<void> {
    announcing = true
    do {
      announceAgain = false
      await database.withConnection((client) => notify(client, node)).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, gapMs).unref())
    } while (announceAgain)
    announcing = false
  }

  function stop(): void {
    clearInterval(poll)
    clearTimeout(reconnecting)
    poll = reconnecting = undefined
    if (listener !== undefined) stopListening(listener)
  }

  return {
    add(watcher) {
      const added = watchers.add(watcher)
      poll ??= setInterval(() => watchers.wake(), pollMs).unref()
      void listen()
      return added
    },
    wake: () => watchers.wake(),
    announce() {
      watchers.wake()
      announceAgain = true
      if (!announcing) void notifyNodes()
    },
    close() {
      watchers.clear()
      stop()
    },
  }
}

/** A statement of its own, after the commit: a notification inside a transaction makes all such commits wait for each other. Its own commit needs no sync. */
function prepareNotify(schema: string): (client: PostgresClient, node: string) => Promise<unknown> {
  return statement(
    `${schema}.notify`,
    `
    select pg_notify('${schema.replaceAll('"', '')}', $1)
    where (select set_config('synchronous_commit', 'off', true)) = 'off'
    `,
  )
}
