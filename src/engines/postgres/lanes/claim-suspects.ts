import { randomUUID } from 'node:crypto'
import type { Crashed } from '../../../model/claimed.ts'
import type { Want } from '../../../model/engine.ts'
import { keyOf } from '../../../model/event-row.ts'
import { judgeSuspects, type Suspect } from '../../../model/judge-suspects.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import { prepareEndDeliveries } from './end-deliveries.ts'
import {
  type BodilessHead,
  joinEvents,
  leasedColumns,
  type LeasedHead,
  returnedColumns,
} from './leased-head.ts'

/** Heads of one handler that were leased with one token. */
export interface Batch {
  readonly handler: string
  readonly id: number
  readonly token: string
  readonly rows: readonly (LeasedHead | BodilessHead)[]
}

/**
 * Leases deliveries that may have ended their process, and makes those dead letters that have done so too often, inside the caller's
 * transaction. See `judgeSuspects`.
 */
export function prepareClaimSuspects(
  schema: string,
): (
  client: PostgresClient,
  wanted: readonly (Want & { readonly id: number })[],
  leaseMs: number,
  beside: number,
) => Promise<{ readonly batches: readonly Batch[]; readonly crashed: readonly Crashed[] }> {
  const find = prepareFindSuspects(schema)
  const lease = prepareLeaseSuspects(schema)
  const wait = prepareWait(schema)
  const findKeys = prepareFindKeys(schema)
  const endDeliveries = prepareEndDeliveries(schema)

  async function makeDeadLetters(
    client: PostgresClient,
    { handler, id }: Want & { readonly id: number },
    dead: ReturnType<typeof judgeSuspects<FoundSuspect>>['dead'],
  ): Promise<readonly Crashed[]> {
    const heads = dead.map(({ suspect }) => suspect)
    const positions = heads.map(({ position }) => position)
    const created = heads.map((head) => head.created)
    const lanes = heads.map(({ lane }) => lane)
    await endDeliveries(
      client,
      id,
      lanes,
      positions,
      created,
      heads.map(({ attempts }) => attempts),
      heads.map(() => 'dead'),
      dead.map(({ reason }) => reason),
      heads.map(({ failures }) => failures),
      lanes,
    )
    const events = await findKeys(client, positions, created)
    return events.map((event) => {
      const reason = dead.find(({ suspect }) => suspect.position === event.position)?.reason ?? 'crashed'
      return { handler, key: keyOf(event), reason }
    })
  }

  return async (client, wanted, leaseMs, beside) => {
    const suspects: FoundSuspect[] = []
    for (const { handler, id } of wanted) {
      for (const row of await find(client, id)) suspects.push({ ...row, handler, id })
    }
    if (suspects.length === 0) return { batches: [], crashed: [] }
    const judged = judgeSuspects(suspects, wanted, beside)
    const batches: Batch[] = []
    const crashed: Crashed[] = []
    for (const want of wanted) {
      const { handler, id } = want
      const waiting = judged.wait.filter(({ suspect }) => suspect.id === id)
      const changed = waiting.filter(({ suspect, company }) => suspect.expired || suspect.company !== company)
      if (changed.length > 0) {
        await wait(
          client,
          id,
          changed.map(({ suspect }) => suspect.lane),
          changed.map(({ company }) => company),
          changed.map(({ crashes }) => crashes),
        )
      }

      const dead = judged.dead.filter(({ suspect }) => suspect.id === id)
      if (dead.length > 0) crashed.push(...(await makeDeadLetters(client, want, dead)))

      const leased = judged.lease.filter((suspect) => suspect.id === id)
      if (leased.length > 0) {
        const token = randomUUID() // Not a number: a server that lost its last second would give the same number again.
        const lanes = leased.map(({ lane }) => lane)
        const crashes = leased.map((suspect) => judged.crashes.get(suspect) ?? 0)
        const rows = await lease(client, id, lanes, Math.ceil(leaseMs), token, judged.company, crashes)
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

interface FoundSuspect extends Suspect, SuspectRow {
  readonly id: number
}

/** More than these are left to the next claim. A handler leases at most 256 at a time on each node. */
const suspectLimit = 2_000

/**
 * Locks suspects, except those that another node is leasing at the moment. Reads all heads that are due, so it runs only after a claim has
 * found a suspect. Index: heads_due.
 */
function prepareFindSuspects(schema: string): Statement<SuspectRow> {
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

/** Index: primary key (lane, handler). */
function prepareLeaseSuspects(schema: string): Statement<LeasedHead | BodilessHead> {
  return statement(
    `${schema}.claim_suspects`,
    `
    with taken as (
      update ${schema}.heads h
      set due = (select ${schema}.now()) + $3::bigint,
        token = $4::uuid,
        attempts = attempts + 1,
        company = $5::int,
        crashes = ($6::int[])[array_position($2::uuid[], h.lane)],
        crashed_token = case when ($6::int[])[array_position($2::uuid[], h.lane)] > h.crashes then h.token else h.crashed_token end
      where handler = $1 and lane = any ($2::uuid[])
      returning ${returnedColumns}
    )
    select ${leasedColumns(schema)} from taken t ${joinEvents(schema)}
    `,
  )
}

/** Stores the new counts of suspects that are not leased now. Their lease has expired: without its token one crash is counted once. Index: primary key (lane, handler). */
function prepareWait(schema: string): Statement<never> {
  return statement(
    `${schema}.suspects_wait`,
    `
    update ${schema}.heads h
    set token = null,
      company = ($3::int[])[array_position($2::uuid[], h.lane)],
      crashes = ($4::int[])[array_position($2::uuid[], h.lane)],
      crashed_token = case when ($4::int[])[array_position($2::uuid[], h.lane)] > h.crashes then h.token else h.crashed_token end
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
