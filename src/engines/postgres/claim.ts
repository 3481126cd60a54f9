import { randomUUID } from 'node:crypto'
import type { Claimed, Lease } from '../../model/delivery.ts'
import type { Want } from '../../model/engine.ts'
import type { Source } from '../../model/event.ts'
import { admitting } from './admit.ts'
import type { Database } from './database.ts'
import { tokenOf } from './held.ts'
import { ending, settling } from './settle.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'

/** Leases heads that are due; before that, in a transaction of its own, admits what the intake holds: merged into one they deadlock with settle. */
export function claiming(
  database: Database,
  schema: string,
): (wants: readonly Want[], leaseMs: number) => Promise<Claimed> {
  const look = looking(schema)
  const admit = admitting(schema)
  const take = taking(schema)
  const settle = settling(schema)
  const end = ending(schema)

  /** Their events have no body that a handler could be given: a version before made such deliveries. */
  async function endGone(
    client: PostgresClient,
    handler: number,
    heads: readonly BodilessHead[],
  ): Promise<void> {
    await end(
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

  async function leaseDue(
    client: PostgresClient,
    due: readonly ({ readonly id: number } & Want)[],
    leaseMs: number,
  ): Promise<Claimed> {
    const leases: Lease[] = []
    const crashed: Lease[] = []
    const gone: { handler: string; position: number }[] = []
    for (const { id, handler, limit } of due) {
      const token = randomUUID() // Not a number: a server that lost its last second would give it out twice.
      const taken = await take(client, id, limit, Math.ceil(leaseMs), token)
      const bodiless = taken.filter((row) => row.body === null)
      if (bodiless.length > 0) await endGone(client, id, bodiless)
      gone.push(...bodiless.map(({ position }) => ({ handler, position })))
      const rows = taken.filter((row) => row.body !== null)
      for (const row of rows.toSorted((a, b) => a.position - b.position)) {
        const list = row.crashes < 3 ? leases : crashed
        list.push(leaseOf(handler, token, row))
      }
    }
    await settle(
      client,
      crashed.map((lease) => ({ lease, outcome: { kind: 'dead', reason: 'crashed' } })),
    )
    return {
      leases,
      crashed: crashed.map(({ handler, event }) => ({ handler, key: event.key })),
      ...(gone.length > 0 && { gone }),
    }
  }

  async function claim(
    client: PostgresClient,
    wants: readonly Want[],
    leaseMs: number,
    seen: readonly Handler[],
  ): Promise<Claimed> {
    const due = seen.flatMap(({ id, name, intake, dueInMs }) =>
      intake || (dueInMs !== null && dueInMs <= 0)
        ? wants.filter(({ handler }) => handler === name).map((want) => ({ id, ...want }))
        : [],
    )
    if (due.length === 0) return { leases: [], crashed: [], ...nextOf(seen) }
    const leased = await leaseDue(client, due, leaseMs)
    return { ...leased, ...nextOf(await look(client, namesOf(wants))) }
  }

  return async (wants, leaseMs) => {
    const first = await database.transact(async (client) => {
      const seen = await look(client, namesOf(wants))
      const waiting = seen.filter(({ intake }) => intake)
      if (waiting.length === 0) return { claimed: await claim(client, wants, leaseMs, seen) }
      await admit(
        client,
        waiting.map(({ id }) => id),
      )
      return { seen }
    })
    return first.claimed ?? database.transact((client) => claim(client, wants, leaseMs, first.seen))
  }
}

function namesOf(wants: readonly Want[]): readonly string[] {
  return wants.map(({ handler }) => handler)
}

/** What a handler has to do. */
interface Handler {
  readonly id: number
  readonly name: string
  readonly intake: boolean
  /** When its first head is due, null without heads. */
  readonly dueInMs: number | null
}

function nextOf(handlers: readonly Handler[]): { nextInMs?: number } {
  const next = Math.min(...handlers.map(({ intake, dueInMs }) => (intake ? 0 : (dueInMs ?? Infinity))))
  return next === Infinity ? {} : { nextInMs: Math.max(0, next) }
}

/** Indexes: primary key of the intake, heads_due. */
function looking(schema: string): Statement<Handler> {
  return statement(
    `${schema}.look`,
    `
    select h.id, h.name,
      exists (select from ${schema}.intake i where i.handler = h.id) as intake,
      ((select due from ${schema}.heads d where d.handler + 0 = h.id order by due limit 1) - ${schema}.now())::float8 as "dueInMs"
    from ${schema}.handlers h
    where h.name = any ($1::text[])
    order by h.name
    `,
  )
}

interface TakenHead {
  readonly lane: string
  readonly position: number
  /** `createInstant` of the event it is for, as the delivery has it. */
  readonly of: number
  readonly attempts: number
  readonly crashes: number
  readonly failing_for: number
}

interface BodilessHead extends TakenHead {
  readonly body: null
}

interface Taken extends TakenHead {
  readonly created: number
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly source: Source
  readonly received: number
  readonly trace: string | null
  readonly body: Uint8Array
}

/**
 * Leases due heads, oldest first, past those another worker is about to lease. A head that still has a token was leased by somebody who let
 * the time pass: a crash; the third is not another attempt. Indexes: heads_due, primary key (lane, handler), unique (position, created).
 */
function taking(schema: string): Statement<Taken | BodilessHead> {
  return statement(
    `${schema}.claim`,
    `
    with taken as (
      update ${schema}.heads h
      set due = (select ${schema}.now()) + $3::bigint,
        token = $4::uuid,
        attempts = attempts + case when token is not null and crashes = 2 then 0 else 1 end,
        crashes = crashes + case when token is null then 0 else 1 end
      where handler = $1 and lane = any (array (
        select lane from ${schema}.heads
        where handler + 0 = $1 and due <= ${schema}.now()
        order by due, position limit $2::int
        for update skip locked
      ))
      returning lane, position, created, attempts, crashes
    )
    select t.lane, t.position::float8, t.created::float8 as of, t.attempts, t.crashes,
      coalesce((select ${schema}.now()) - f.since, 0)::float8 as failing_for,
      e.created::float8, e.tenant, e.id, e.type, e.source, e.received::float8, e.trace, e.body
    from taken t
    left join lateral (
      select * from ${schema}.events e where e.position = t.position and e.created = t.created limit 1
    ) e on true
    left join ${schema}.failing f on f.lane = t.lane and f.handler = $1
    `,
  )
}

function leaseOf(handler: string, token: string, row: Taken): Lease {
  return {
    handler,
    position: row.position,
    token: tokenOf(row.lane, token),
    attempt: row.attempts,
    failingForMs: Math.max(0, row.failing_for),
    event: {
      key: { createInstant: row.created, tenantId: row.tenant, id: row.id },
      type: row.type,
      source: row.source,
      receivedAt: row.received,
      ...(row.trace !== null && { trace: row.trace }),
      body: row.body,
    },
  }
}
