import { randomUUID } from 'node:crypto'
import type { Claimed, Crashed, EndedWithoutBody } from '../../model/claimed.ts'
import type { Lease } from '../../model/lease.ts'
import type { SuspectsBeside, Want } from '../../model/engine.ts'
import { prepareAdmit } from './lanes/admit.ts'
import { type Batch, prepareClaimSuspects } from './lanes/claim-suspects.ts'
import { prepareEndDeliveries } from './lanes/end-deliveries.ts'
import {
  type BodilessHead,
  joinEvents,
  leasedColumns,
  type LeasedHead,
  leaseOf,
  returnedColumns,
} from './lanes/leased-head.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'
import type { ClockJumps } from './storage/clock-jumps.ts'
import type { Database } from './storage/database.ts'

type Wanted = Want & { readonly id: number }

/**
 * Leases heads that are due. Before that, in a transaction of its own, it takes deliveries out of the intake: in one transaction the two
 * would deadlock with settle.
 */
export function prepareClaim(
  database: Database,
  schema: string,
  clockJumps: ClockJumps,
): (wants: readonly Want[], leaseMs: number, suspectsBeside?: SuspectsBeside) => Promise<Claimed> {
  const findWork = prepareFindWork(schema)
  const admit = prepareAdmit(schema)
  const leaseDueHeads = prepareLeaseDueHeads(schema)
  const claimSuspects = prepareClaimSuspects(schema)
  const endDeliveries = prepareEndDeliveries(schema)

  /** Ends deliveries whose event has no body that a handler could be given. An earlier version made such deliveries. */
  async function endBodiless(
    client: PostgresClient,
    handler: number,
    heads: readonly BodilessHead[],
  ): Promise<void> {
    await endDeliveries(
      client,
      handler,
      heads.map(({ lane }) => lane),
      heads.map(({ position }) => position),
      heads.map(({ of }) => of),
      heads.map(({ attempts }) => attempts - 1),
      heads.map(() => 'succeeded'),
      heads.map(() => 'gone'),
      heads.map(() => null),
    )
  }

  async function leasesOf(
    client: PostgresClient,
    batches: readonly Batch[],
  ): Promise<{ readonly leases: readonly Lease[]; readonly gone?: readonly EndedWithoutBody[] }> {
    const leases: Lease[] = []
    const gone: EndedWithoutBody[] = []
    for (const { handler, id, token, rows } of batches) {
      const bodiless = rows.filter((row) => row.body === null)
      if (bodiless.length > 0) await endBodiless(client, id, bodiless)
      gone.push(...bodiless.map(({ position }) => ({ handler, position })))
      const whole = rows.filter((row) => row.body !== null)
      for (const row of whole.toSorted((a, b) => a.position - b.position)) {
        leases.push(leaseOf(handler, token, row))
      }
    }
    return { leases, ...(gone.length > 0 && { gone }) }
  }

  async function leaseDue(
    client: PostgresClient,
    due: readonly Wanted[],
    leaseMs: number,
    suspectsBeside: SuspectsBeside,
  ): Promise<Claimed> {
    let crashed: readonly Crashed[] = []
    if (suspectsBeside !== 'none') {
      const claimed = await claimSuspects(client, due, leaseMs, suspectsBeside)
      crashed = claimed.crashed
      if (claimed.batches.length > 0) {
        return { ...(await leasesOf(client, claimed.batches)), crashed, suspects: true }
      }
    }
    const batches: Batch[] = []
    let suspects = false
    for (const { id, handler, limit } of due) {
      const token = randomUUID() // Not a number: a server that lost its last second would give the same number again.
      const found = await leaseDueHeads(client, id, limit, Math.ceil(leaseMs), token)
      if (found[0]?.suspects === true) suspects = true
      const rows = found.filter((row) => row.lane !== null)
      batches.push({ handler, id, token, rows })
    }
    return { ...(await leasesOf(client, batches)), crashed, ...(suspects && { suspects }) }
  }

  async function claim(
    client: PostgresClient,
    wants: readonly Want[],
    leaseMs: number,
    suspectsBeside: SuspectsBeside,
    work: readonly Work[],
  ): Promise<Claimed> {
    const due = work.flatMap(({ id, name, intake, dueInMs }) =>
      intake || (dueInMs !== null && dueInMs <= 0)
        ? wants.filter(({ handler }) => handler === name).map((want) => ({ id, ...want }))
        : [],
    )
    if (due.length === 0) return { leases: [], crashed: [], ...nextOf(work) }
    const leased = await leaseDue(client, due, leaseMs, suspectsBeside)
    return { ...leased, ...nextOf(await findWork(client, namesOf(wants))) }
  }

  /** In the first transaction of a claim: leases nothing when the clock must be compared first, or deliveries were admitted. */
  function begin(
    wants: readonly Want[],
    leaseMs: number,
    suspectsBeside: SuspectsBeside,
    comparesClock: boolean,
  ): Promise<Begun> {
    return database.transact(async (client) => {
      const work = await findWork(client, namesOf(wants))
      const [{ now } = {}] = work
      if (comparesClock && now !== undefined && clockJumps.isDue(now)) return { clockIsDue: true }
      const waiting = work.filter(({ intake }) => intake)
      if (waiting.length === 0) {
        return { claimed: await claim(client, wants, leaseMs, suspectsBeside, work) }
      }
      await admit(
        client,
        waiting.map(({ id }) => id),
      )
      return { work }
    })
  }

  return async (wants, leaseMs, suspectsBeside = 0) => {
    let begun = await begin(wants, leaseMs, suspectsBeside, true)
    if (begun.clockIsDue === true) {
      await clockJumps.correct()
      begun = await begin(wants, leaseMs, suspectsBeside, false)
    }
    const { claimed, work = [] } = begun
    return claimed ?? database.transact((client) => claim(client, wants, leaseMs, suspectsBeside, work))
  }
}

interface Begun {
  readonly clockIsDue?: true
  readonly claimed?: Claimed
  /** Deliveries were admitted; this is what waited before. */
  readonly work?: readonly Work[]
}

function namesOf(wants: readonly Want[]): readonly string[] {
  return wants.map(({ handler }) => handler)
}

/** What waits for a handler. */
interface Work {
  /** The server's time, epoch ms. */
  readonly now: number
  readonly id: number
  readonly name: string
  /** Whether its intake holds deliveries. */
  readonly intake: boolean
  /** In how many ms its first head is due. Null without heads. */
  readonly dueInMs: number | null
}

function nextOf(work: readonly Work[]): { nextInMs?: number } {
  const next = Math.min(...work.map(({ intake, dueInMs }) => (intake ? 0 : (dueInMs ?? Infinity))))
  return next === Infinity ? {} : { nextInMs: Math.max(0, next) }
}

/** Indexes: primary key of the intake, heads_due. */
function prepareFindWork(schema: string): Statement<Work> {
  return statement(
    `${schema}.find_work`,
    `
    select ${schema}.now()::float8 as now, h.id, h.name,
      exists (select from ${schema}.intake i where i.handler = h.id) as intake,
      ((select due from ${schema}.heads d where d.handler + 0 = h.id order by due limit 1) - ${schema}.now())::float8 as "dueInMs"
    from ${schema}.handlers h
    where h.name = any ($1::text[])
    order by h.name
    `,
  )
}

type Row = (LeasedHead | BodilessHead) & { readonly suspects: boolean }

/** The row that is returned when nothing was leased. */
interface NothingLeased {
  readonly lane: null
  readonly suspects: boolean
}

/**
 * Leases due heads, oldest first. Skips heads that another worker is leasing at the moment, and suspects: a head that is due and has a token
 * was leased by a worker that let the lease expire. `suspects` of the first row says whether there were any. Indexes: heads_due, primary key
 * (lane, handler), unique (position, created).
 */
function prepareLeaseDueHeads(schema: string): Statement<Row | NothingLeased> {
  return statement(
    `${schema}.claim`,
    `
    with due as materialized (
      select lane, token is not null or company > 0 as suspect from ${schema}.heads
      where handler + 0 = $1 and due <= ${schema}.now()
      order by due, position limit $2::int
      for update skip locked
    ), taken as (
      update ${schema}.heads h
      set due = (select ${schema}.now()) + $3::bigint, token = $4::uuid, attempts = attempts + 1
      where handler = $1 and lane = any (array (select lane from due where not suspect))
      returning ${returnedColumns}
    )
    select s.suspects, ${leasedColumns(schema)}
    from (select coalesce(bool_or(suspect), false) as suspects from due) s
    left join taken t on true
    ${joinEvents(schema)}
    `,
  )
}
