import type { ErasedStep } from '../../../model/erased-step.ts'
import type { Person } from '../../../model/person.ts'
import { refusalErased } from '../../../model/kept.ts'
import { prepareFindSetAsidePlaces } from './find-set-aside.ts'
import { prepareSearch } from './find.ts'
import type { JudgedNow } from '../storage/judge-time.ts'
import { prepareLockEvents } from '../write/lock-events.ts'
import { prepareEndDeliveries } from '../settle.ts'
import { nameOf, type PostgresClient, type Statement, statement } from '../sql.ts'

/** How many events one step takes. */
const stepLimit = 100

/** Remembers, as a keyed hash, that older events of a person are to be blanked when they come again. */
export function prepareRememberErased(
  schema: string,
  judge: (client: PostgresClient) => Promise<JudgedNow>,
): (client: PostgresClient, person: Person) => Promise<void> {
  const insert = statement(
    `${schema}.erase_remember`,
    `
    insert into ${schema}.erased (person, at) values (${schema}.person($1::uuid, $2), ${schema}.now() - $3::bigint)
    on conflict (person) do update set at = excluded.at
    `,
  )
  return async (client, { userId, tenantId = '*' }) => {
    const { doubtedMs } = await judge(client) // A clock that is ahead would blank events of the person that are yet to come.
    await insert(client, nameOf(userId), tenantId, Math.round(doubtedMs))
  }
}

/** The notes of erasures that have not ended. */
export function createErasureNotes(schema: string): {
  readonly insert: (client: PostgresClient, person: Person, note: Uint8Array) => Promise<void>
  readonly find: (client: PostgresClient, person: Person) => Promise<Uint8Array | undefined>
  readonly remove: (client: PostgresClient, person: Person) => Promise<void>
} {
  const insert = statement(
    `${schema}.erasure_note`,
    `
    insert into ${schema}.erasure_notes (person, note) values (${schema}.person($1::uuid, $2), $3::bytea)
    on conflict (person) do update set note = excluded.note
    `,
  )
  const find = statement<{ note: Uint8Array }>(
    `${schema}.erasure_note_find`,
    `select note from ${schema}.erasure_notes where person = ${schema}.person($1::uuid, $2)`,
  )
  const remove = statement(
    `${schema}.erasure_note_remove`,
    `delete from ${schema}.erasure_notes where person = ${schema}.person($1::uuid, $2)`,
  )
  return {
    async insert(client, { userId, tenantId = '*' }, note) {
      await insert(client, nameOf(userId), tenantId, note)
    },
    async find(client, { userId, tenantId = '*' }) {
      return (await find(client, nameOf(userId), tenantId))[0]?.note
    },
    async remove(client, { userId, tenantId = '*' }) {
      await remove(client, nameOf(userId), tenantId)
    },
  }
}

/**
 * A step of taking away all that names a person but the keys, inside the caller's transaction: events (`e` and a position), then what was set
 * aside (`a`). What had not ended ends as `erased`; whoever leased it has lost it, and its lane goes on.
 */
export function prepareErase(
  schema: string,
): (client: PostgresClient, person: Person, after?: string) => Promise<ErasedStep> {
  const scout = prepareSearch(schema)
  const findAsides = prepareFindSetAsidePlaces(schema)
  const lock = prepareLockEvents(schema)
  const removeWaiting = prepareEndWaiting(schema)
  const lockHeads = prepareLockHeads(schema)
  const end = prepareEndDeliveries(schema)
  const blank = prepareBlank(schema)
  const forgetOrphans = prepareForgetOrphans(schema)
  const removeAsides = statement<{ one: number }>(
    `${schema}.erase_asides`,
    `delete from ${schema}.aside where place = any ($1::bigint[]) returning 1 as one`,
  )

  async function events(
    client: PostgresClient,
    { userId, tenantId }: Person,
    after: string,
  ): Promise<ErasedStep> {
    const paging = { limit: stepLimit, order: 'oldest', ...(after !== '' && { after }) } as const
    const { items, next } = await scout(client, { userId }, paging, ({ key }) => {
      return tenantId === undefined || key.tenantId === tenantId
    })
    const goOn = { next: next === undefined ? 'a' : `e${next}` }
    // While they are locked no replay can add a delivery to them.
    const locked = await lock(
      client,
      items.map(({ place }) => place),
    )
    if (locked.length === 0) return { events: 0, deliveries: 0, ...goOn }
    const places = [locked.map(({ position }) => position), locked.map(({ created }) => created)]
    const { waiting, heads } = await takeDeliveries(client, places)
    const positions = new Set(places[0])
    const own = heads.filter(({ position }) => positions.has(position))
    for (const [handler, of] of Map.groupBy(own, (head) => head.handler)) {
      await end(
        client,
        handler,
        of.map(({ lane }) => lane),
        of.map(({ position }) => position),
        of.map(({ created }) => created),
        of.map(({ attempts }) => attempts),
        of.map(() => 'succeeded'),
        of.map(() => 'erased'),
        of.map(() => null),
      )
    }
    const buckets = [...new Set(locked.map(({ position }) => Math.floor(position / 65_536)))]
    await blank(client, ...places, buckets)
    return { events: locked.length, deliveries: waiting + own.length, ...goOn }
  }

  /**
   * Ends what waits behind a head, and locks the heads of all lanes concerned. While that happens, a claim may make a head of what waits, or
   * park a head behind an older delivery. So it is repeated until nothing waits between two looks that found the same heads: a locked head
   * keeps its lane as it is.
   */
  async function takeDeliveries(
    client: PostgresClient,
    places: readonly unknown[],
  ): Promise<{ readonly waiting: number; readonly heads: readonly Head[] }> {
    let waiting = 0
    let heads = await lockHeads(client, ...places)
    for (;;) {
      const removed = (await removeWaiting(client, ...places)).length
      const now = await lockHeads(client, ...places)
      waiting += removed
      if (removed === 0 && textOf(now) === textOf(heads)) return { waiting, heads }
      heads = now
    }
  }

  return async (client, person, after = 'e') => {
    const place = after.slice(1)
    if (after.startsWith('e')) return events(client, person, place)
    const kinds = ['conflict', 'stale', 'quarantined'] as const
    const from = place === '' ? undefined : place
    const { places, next } = await findAsides(client, person, kinds, from, stepLimit)
    if (next === undefined) await forgetOrphans(client, nameOf(person.userId))
    const removed = places.length === 0 ? [] : await removeAsides(client, places)
    return { events: removed.length, deliveries: 0, ...(next !== undefined && { next: `a${next}` }) }
  }
}

/**
 * An event that was refused before it was accepted has two places, and names at both, but is found at the second alone. Index: primary key
 * (bucket, name, position, created).
 */
function prepareForgetOrphans(schema: string): Statement<never> {
  return statement(
    `${schema}.erase_orphans`,
    `
    delete from ${schema}.names n
    where n.bucket = any (array (select generate_series(0, (select last_value >> 16 from ${schema}.positions)::int)))
      and n.name = $1::uuid
      and not exists (select from ${schema}.events e where e.position = n.position and e.created = n.created)
    `,
  )
}

/** What was no head yet. Indexes: primary keys. */
function prepareEndWaiting(schema: string): Statement<{ one: number }> {
  return statement(
    `${schema}.erase_waiting`,
    `
    with intake as (
      delete from ${schema}.intake
      where handler = any (array (select id from ${schema}.handlers)) and position = any ($1::bigint[])
      returning handler, position, created
    ), lanes as materialized (
      select e.lane from unnest($1::bigint[], $2::bigint[]) as w (position, created)
      cross join lateral (
        select lane from ${schema}.events e where e.position = w.position and e.created = w.created limit 1
      ) e
    ), parked as (
      delete from ${schema}.parked
      where handler = any (array (select id from ${schema}.handlers))
        and lane = any (array (select lane from lanes)) and position = any ($1)
      returning handler, position, created
    )
    insert into ${schema}.finished (created, position, handler, attempts, reason)
    select created, position, handler, 0, 'erased' from (select * from intake union all select * from parked) w
    returning 1 as one
    `,
  )
}

interface Head {
  readonly handler: number
  readonly lane: string
  readonly position: number
  readonly created: number
  readonly attempts: number
}

function textOf(heads: readonly Head[]): string {
  return heads.map(({ handler, lane, position }) => `${handler}/${lane}/${position}`).join(' ')
}

/**
 * Of the lanes of these events, whichever event is first in them. In order of handler's name, then lane: the order in which claim and settle
 * lock heads. Index: primary key (lane, handler).
 */
function prepareLockHeads(schema: string): Statement<Head> {
  return statement(
    `${schema}.erase_lock_heads`,
    `
    select h.handler, h.lane, h.position::float8, h.created::float8, h.attempts
    from ${schema}.heads h
    where h.lane = any (array (
      select l.lane from unnest($1::bigint[], $2::bigint[]) as w (position, created)
      cross join lateral (
        (select e.lane from ${schema}.events e where e.position = w.position and e.created = w.created limit 1)
        union all
        select ${schema}.own_lane(w.position)
      ) l
    ))
    order by (select name from ${schema}.handlers n where n.id = h.handler), h.lane
    for update of h
    `,
  )
}

/** SQL that deletes the failing times of lanes where nothing waits: a lane is named after a user. Only older versions write them. Index: primary key (lane, handler). */
export const deleteFailing = (schema: string, lanes: string): string => `
      delete from ${schema}.failing f
      where f.lane = any (array (${lanes})) and not exists (
        select from ${schema}.heads h where h.lane = f.lane and h.handler = f.handler
      )`

/** A dead letter is over, too: nothing is left that a replay could run. Indexes: unique (position, created), primary keys. */
function prepareBlank(schema: string): Statement<never> {
  const these = `position = any ($1::bigint[]) and created = any ($2::bigint[])`
  return statement(
    `${schema}.erase`,
    `
    with dead as (
      delete from ${schema}.dead
      where handler = any (array (select id from ${schema}.handlers)) and position = any ($1)
      returning created, position, handler, attempts
    ), buried as (
      insert into ${schema}.finished (created, position, handler, attempts, reason)
      select created, position, handler, attempts, 'erased' from dead
    ), finished as (
      update ${schema}.finished set failures = null where ${these} and failures is not null
    ), named as (
      delete from ${schema}.names where bucket = any ($3::int[]) and ${these}
    ), no_longer_failing as (
      ${deleteFailing(schema, `select e.lane from ${schema}.events e where e.position = any ($1) and e.created = any ($2)`)}
    )
    update ${schema}.events
    set body = null, gone = 'erased', refused = case when refused is not null then '${refusalErased}' end, lane = null, trace = null,
      applications = '{}'
    where ${these} and gone is null
    `,
  )
}
