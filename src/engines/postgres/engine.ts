import { type Clock, systemClock } from '../../lib/clock.ts'
import type { Engine } from '../../model/engine.ts'
import { wrongOption } from '../../model/errors.ts'
import type { Log } from '../../model/log.ts'
import type { Observer } from '../../model/observer.ts'
import { prepareAppend } from './append.ts'
import { prepareClaim } from './claim.ts'
import { isTemporary } from './errors.ts'
import { prepareCountStats } from './read/count-stats.ts'
import { prepareFindKnown } from './read/find-known.ts'
import { prepareGetEvent } from './read/get-event.ts'
import { prepareRenew } from './renew.ts'
import { prepareRelease, prepareSettle } from './settle.ts'
import { type PostgresPool, type PostgresSql, sizeOf, statement } from './sql.ts'
import { createClockJumps } from './storage/clock-jumps.ts'
import type { PostgresUrl } from './storage/connect.ts'
import { createDatabase } from './storage/database.ts'
import { prepareJudgeTime } from './storage/judge-time.ts'
import { prepareProbeDiskSpace } from './storage/probe-disk-space.ts'
import { prepareSubscribe } from './subscribe.ts'
import { createTending } from './tend/tending.ts'
import { createWatchers } from './watchers.ts'
import { prepareRunAtomic } from './write/run-atomic.ts'
import { createSemaphore } from './write/semaphore.ts'

/** The options of `postgres`. */
export interface PostgresOptions {
  /** The schema of the inbox's tables. Inboxes in different schemas of one database are independent. Default: `fusewire`. */
  readonly schema?: string
  /** `false` behind a pooler that shares connections by transaction and does not keep prepared statements. Default: true. */
  readonly prepare?: boolean
  /** Measures how long this process has run; every other time is the server's. For tests. Default: the machine's clock. */
  readonly clock?: Clock
}

/**
 * An inbox in PostgreSQL (14 or later), for any number of nodes that receive and deliver. Give it a connection string, for which the package
 * `pg` must be installed, or a `Pool` of your own. An event is acknowledged once it is committed with `synchronous_commit = on`.
 *
 * Atomic handlers get a `query` function as `sql`, inside the transaction that settles their delivery; their tables are in the same database.
 *
 * No connection is made before the webhook starts or receives.
 *
 * @param to A connection string, a function that fetches one when the inbox opens, or a pool, which stays yours to end.
 * @param options The schema, and whether statements are prepared.
 * @throws FW_OPTION when the name of the schema is not one that needs no quotes.
 * @example
 * const webhook = new Webhook({ authenticate: apiKey(() => process.env.WEBHOOK_KEY), inbox: postgres(() => process.env.DATABASE_URL) })
 */
export function postgres(
  to: PostgresUrl | PostgresPool,
  { schema: name = 'fusewire', prepare = true, clock = systemClock }: PostgresOptions = {},
): Engine<PostgresSql, unknown> {
  const schema = quoted(name)
  const database = createDatabase({ to, schema, prepare })
  const watchers = createWatchers(database, schema)
  const subscribe = prepareSubscribe(schema)
  const append = prepareAppend(database, schema)
  const findKnown = prepareFindKnown(schema)
  const claim = prepareClaim(database, schema, createClockJumps(database, schema, clock))
  const renew = prepareRenew(schema)
  const release = prepareRelease(schema)
  const settle = prepareSettle(schema)
  const runAtomic = prepareRunAtomic(database, schema)
  const getEvent = prepareGetEvent(schema)
  const countStats = prepareCountStats(schema)
  const waitToRun = createSemaphore(async () => atomicLimit(await database.pool()))
  const probeDiskSpace = prepareProbeDiskSpace(schema)
  const probe = statement(`${schema}.probe`, `update ${schema}.probe set at = ${schema}.now()`)

  let observer: Observer | undefined
  let log: Log | undefined

  /** Called once in each walk of pruning, which is every ten minutes. */
  function warnOfClock(aheadMs: number): void {
    log?.warn(
      { aheadMinutes: Math.round(aheadMs / 60_000) },
      "the database server's clock is ahead of the newest event. Nothing is pruned or called stale by it until an event confirms it, or until " +
        'it has disagreed for 24 hours of running time. Set the clock if it is wrong',
    )
  }

  return {
    open: () => database.open(),

    isTemporary,

    report(to) {
      log = to
    },

    observe(one) {
      observer = one
    },

    subscribe: (subscriptions) => database.transact((client) => subscribe(client, subscriptions)),

    async append(arrivals) {
      await database.open()
      const startedAt = observer === undefined ? 0 : performance.now()
      const answers = await append(arrivals)
      observer?.synced?.(performance.now() - startedAt)
      watchers.announce()
      return answers
    },

    known: (copies) => database.use((client) => findKnown(client, copies)),

    async probe(bytes = 0) {
      await database.transact(async (client) => {
        await probe(client)
        if (bytes > 0) await probeDiskSpace(client, bytes)
      })
    },

    claim,

    renew: (leases, leaseMs) => database.transact((client) => renew(client, leases, leaseMs)),

    async release(leases) {
      await database.transact((client) => release(client, leases))
      watchers.announce()
    },

    async settle(settlements) {
      const settled = await database.transact((client) => settle(client, settlements))
      watchers.wake() // The node that settled claims next, and what it freed with that: no other node has to be woken.
      return settled
    },

    async atomic(lease, handle) {
      using permit = await waitToRun()
      void permit
      const settled = await runAtomic(lease, handle)
      watchers.wake()
      return settled
    },

    watch: (wake) => watchers.add(wake),

    get: (key) => database.use((client) => getEvent(client, key)),

    stats: () => database.use(countStats),

    tend: createTending(
      database,
      schema,
      () => watchers.announce(),
      prepareJudgeTime(schema, clock, warnOfClock),
    ),

    async [Symbol.asyncDispose]() {
      watchers.close()
      await database.close()
    },
  }
}

/** How many atomic handlers run at a time. Each has a connection to itself, and six are left to receive, claim, settle and listen. */
function atomicLimit(pool: PostgresPool): number {
  return Math.max(1, sizeOf(pool) - 6)
}

function quoted(schema: string): string {
  if (/^[a-z_][a-z0-9_]{0,46}$/.test(schema)) return `"${schema}"`
  throw wrongOption(
    'schema',
    'postgres: schema must be up to 47 lower-case letters, digits and underscores, and not begin with a digit.',
  )
}
