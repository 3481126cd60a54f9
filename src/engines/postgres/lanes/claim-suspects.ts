import { randomUUID } from 'node:crypto'
import type { Crashed } from '../../../model/claimed.ts'
import type { Want } from '../../../model/engine.ts'
import { judgeSuspects, type Suspect } from '../../../model/judge-suspects.ts'
import { type BodilessHead, joinEvents, leaseColumns, type LeasedHead, leasedColumns } from './leased-head.ts'
import { prepareEndDeliveries } from '../settle.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'

/** The heads of one handler that were leased with one token. */
export interface Batch {
  readonly handler: string
  readonly id: number
  readonly token: string
  readonly rows: readonly (LeasedHead | BodilessHead)[]
}

/** Leases what is to be tried again after a process ended, and gives up what ended it, inside the caller's transaction. */
export function prepareClaimSuspects(
  schema: string,
): (
  client: PostgresClient,
  wanted: readonly (Want & { readonly id: number })[],
  leaseMs: number,
  beside: number,
) => Promise<{ readonly batches: readonly Batch[]; readonly crashed: readonly Crashed[] }> {
  const find = prepareFind(schema)
  const take = prepareTake(schema)
  const wait = prepareWait(schema)
  const findKeys = prepareFindKeys(schema)
  const end = prepareEndDeliveries(schema)

  return async (client, wanted, leaseMs, beside) => {
    const suspects: Found[] = []
    for (const { handler, id } of wanted) {
      for (const row of await find(client, id)) suspects.push({ ...row, handler, id })
    }
    if (suspects.length === 0) return { batches: [], crashed: [] }
    const judged = judgeSuspects(suspects, wanted, beside)
    const batches: Batch[] = []
    const crashed: Crashed[] = []
    for (const { handler, id } of wanted) {
      const waiting = judged.wait.filter(({ suspect }) => suspect.id === id)
      const changed = waiting.filter(({ suspect, company }) => suspect.expired || suspect.company !== company)
      if (changed.length > 0) {
        const lanes = changed.map(({ suspect }) => suspect.lane)
        const companies = changed.map(({ company }) => company)
        await wait(
          client,
          id,
          lanes,
          companies,
          changed.map(({ crashes }) => crashes),
        )
      }

      const dead = judged.dead.filter(({ suspect }) => suspect.id === id)
      if (dead.length > 0) {
        const heads = dead.map(({ suspect }) => suspect)
        const positions = heads.map(({ position }) => position)
        const created = heads.map((head) => head.created)
        await end(
          client,
          id,
          heads.map(({ lane }) => lane),
          positions,
          created,
          heads.map(({ attempts }) => attempts),
          heads.map(() => 'dead'),
          dead.map(({ reason }) => reason),
          heads.map(({ failures }) => failures),
          heads.map(({ lane }) => lane),
        )
        for (const event of await findKeys(client, positions, created)) {
          const reason = dead.find(({ suspect }) => suspect.position === event.position)?.reason ?? 'crashed'
          const key = { createInstant: event.created, tenantId: event.tenant, id: event.id }
          crashed.push({ handler, key, reason })
        }
      }

      const leased = judged.lease.filter((suspect) => suspect.id === id)
      if (leased.length > 0) {
        const token = randomUUID() // Not a number: a server that lost its last second would give it out twice.
        const lanes = leased.map(({ lane }) => lane)
        const crashes = leased.map((suspect) => judged.crashes.get(suspect) ?? 0)
        const rows = await take(client, id, lanes, Math.ceil(leaseMs), token, judged.company, crashes)
        batches.push({ handler, id, token, rows })
      }
    }
    return { batches, crashed }
  }
}

interface SuspectRow {
  readonly lane: string
  readonly position: number
  readonly created: number
  readonly expired: boolean
  readonly company: number
  readonly crashes: number
  readonly attempts: number
  readonly failures: string | null
}

interface Found extends Suspect, SuspectRow {
  readonly id: number
}

/** Beyond this the rest waits for the next claim. A handler leases 256 at a time at most, on each node. */
const suspectLimit = 2_000

/**
 * Locks them, past those that another node is about to lease. Walks all that is due: asked only after a claim has met a suspect. Index:
 * heads_due.
 */
function prepareFind(schema: string): Statement<SuspectRow> {
  return statement(
    `${schema}.suspects`,
    `
    select lane, position::float8, created::float8, token is not null as expired, company, crashes, attempts, failures
    from ${schema}.heads
    where handler + 0 = $1 and due <= ${schema}.now() and (token is not null or company > 0)
    order by due, heads.position limit ${suspectLimit}
    for update skip locked
    `,
  )
}

/** Index: primary key (lane, handler), as for the next. */
function prepareTake(schema: string): Statement<LeasedHead | BodilessHead> {
  return statement(
    `${schema}.claim_suspects`,
    `
    with taken as (
      update ${schema}.heads h
      set due = (select ${schema}.now()) + $3::bigint,
        token = $4::uuid,
        attempts = attempts + 1,
        company = $5::int,
        crashes = ($6::int[])[array_position($2::uuid[], h.lane)]
      where handler = $1 and lane = any ($2::uuid[])
      returning ${leasedColumns}
    )
    select ${leaseColumns(schema)} from taken t ${joinEvents(schema)}
    `,
  )
}

/** The lease has expired. Takes its token away, so that one crash is counted once. */
function prepareWait(schema: string): Statement<never> {
  return statement(
    `${schema}.suspects_wait`,
    `
    update ${schema}.heads h
    set token = null,
      company = ($3::int[])[array_position($2::uuid[], h.lane)],
      crashes = ($4::int[])[array_position($2::uuid[], h.lane)]
    where handler = $1 and lane = any ($2::uuid[])
    `,
  )
}

interface KeyRow {
  readonly position: number
  readonly created: number
  readonly tenant: string
  readonly id: string
}

/** Index: unique (position, created). */
function prepareFindKeys(schema: string): Statement<KeyRow> {
  return statement(
    `${schema}.suspect_keys`,
    `
    select e.position::float8, e.created::float8, e.tenant, e.id
    from unnest($1::bigint[], $2::bigint[]) as w (position, created)
    cross join lateral (
      select * from ${schema}.events e where e.position = w.position and e.created = w.created limit 1
    ) e
    `,
  )
}
