import type { Clock } from '../../../lib/clock.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import type { Database } from './database.ts'

/**
 * Keeps a jump of the server's clock from counting as time. A delivery is given up after it has failed for 24 hours; without this, a clock
 * that is set ahead by a day would give up every delivery that has failed once, and a clock that is set back would let retries wait longer.
 */
export interface ClockJumps {
  /** Whether `correct` must run before anything is leased at this time of the server. True every 30 s, too. */
  isDue(serverNow: number): boolean
  /** Compares the server's clock with the time that this node has run and, after a jump, moves stored times by as much. */
  correct(): Promise<void>
}

/** A smaller difference is no jump. */
const toleranceMs = 60_000
/** How often a node compares the two. */
const compareEveryMs = 30_000

/**
 * Time that passed while no node claimed looks like a jump, too. It counts as failing time as far as an event confirms it that was appended
 * since: its `createInstant` is FusionAuth's clock.
 */
export function createClockJumps(database: Database, schema: string, clock: Clock): ClockJumps {
  const lockTimes = prepareLockTimes(schema)
  const saveSeen = prepareSaveSeen(schema)
  const moveFailing = prepareMoveFailing(schema)
  const moveDue = prepareMoveDue(schema)
  /** This node's clock, and the server's, when the two were last compared. */
  let compared: { readonly own: number; readonly server?: number } = { own: clock.now() }

  return {
    isDue(serverNow) {
      const { own, server } = compared
      const ranMs = clock.now() - own
      return (
        server === undefined || ranMs >= compareEveryMs || Math.abs(serverNow - server - ranMs) > toleranceMs
      )
    },

    async correct() {
      const own = clock.now()
      const server = await database.transact(async (client) => {
        const [times = { seen: 0, now: 0, newest: null }] = await lockTimes(client)
        const jumpMs = Math.round(jumpOf(times, own - compared.own))
        if (jumpMs !== 0) await moveFailing(client, jumpMs)
        if (jumpMs < 0) await moveDue(client, jumpMs)
        await saveSeen(client, times.now)
        return times.now
      })
      compared = { own, server }
    },
  }
}

interface Times {
  /** When a node last compared the clocks, by the server's clock. */
  readonly seen: number
  readonly now: number
  /** The newest `createInstant`, up to now, of the events that FusionAuth has sent since. */
  readonly newest: number | null
}

/**
 * @param ranMs How long this node has run since it last compared the clocks. Another node may have compared them since: then less time has
 *   passed since `seen`, never more.
 */
function jumpOf({ seen, now, newest }: Times, ranMs: number): number {
  if (now < seen - toleranceMs) return now - seen
  const explained = Math.max(seen + ranMs, Math.min(newest ?? 0, now))
  return now - explained > toleranceMs ? now - explained : 0
}

/** The lock lets one node at a time correct a jump; the next one finds that `seen` is new. Index: primary key (created, tenant, id). */
function prepareLockTimes(schema: string): Statement<Times> {
  return statement(
    `${schema}.clock_times`,
    `
    select c.seen::float8, ${schema}.now()::float8 as now, (
      select e.created from ${schema}.events e
      where e.source = 'door' and e.created > c.seen and e.created <= ${schema}.now() and e.kept > c.seen
      order by e.created desc limit 1
    )::float8 as newest
    from ${schema}.clock c for update of c
    `,
  )
}

function prepareSaveSeen(schema: string): Statement<never> {
  return statement(`${schema}.clock_save`, `update ${schema}.clock set seen = $1::bigint`)
}

/** Locks heads in order of handler name, then of lane, as claim and settle do. Reads the whole table: a jump is rare. */
function prepareMoveFailing(schema: string): Statement<never> {
  return statement(
    `${schema}.clock_move_failing`,
    `
    with failing as materialized (
      select h.lane, h.handler from ${schema}.heads h
      where h.failing is not null or h.held is not null
      order by (select name from ${schema}.handlers n where n.id = h.handler), h.lane
      for update of h
    )
    update ${schema}.heads h set failing = h.failing + $1::bigint, held = h.held + $1::bigint
    from failing f where h.lane = f.lane and h.handler = f.handler
    `,
  )
}

/** When the clock was set back: due times, the ends of duties and the beats of nodes would otherwise lie in the future. */
function prepareMoveDue(schema: string): (client: PostgresClient, jumpMs: number) => Promise<void> {
  const moveHeads = statement(
    `${schema}.clock_move_due`,
    `
    with waiting as materialized (
      select h.lane, h.handler from ${schema}.heads h
      order by (select name from ${schema}.handlers n where n.id = h.handler), h.lane
      for update of h
    )
    update ${schema}.heads h set due = h.due + $1::bigint
    from waiting w where h.lane = w.lane and h.handler = w.handler
    `,
  )
  const moveDuties = statement(
    `${schema}.clock_move_duties`,
    `update ${schema}.duties set until = until + $1::bigint`,
  )
  const moveNodes = statement(
    `${schema}.clock_move_nodes`,
    `update ${schema}.nodes set seen = seen + $1::bigint`,
  )
  return async (client, jumpMs) => {
    await moveHeads(client, jumpMs)
    await moveDuties(client, jumpMs)
    await moveNodes(client, jumpMs)
  }
}
