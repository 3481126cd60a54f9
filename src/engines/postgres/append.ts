import type { Appended } from '../../model/engine.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { EventKey } from '../../model/event-key.ts'
import { refusalErased } from '../../model/kept.ts'
import { isStale, keysOutliveMs } from '../../model/retention.ts'
import type { Database } from './storage/database.ts'
import { isPoison } from './errors.ts'
import { prepareFindNewest } from './storage/judge-time.ts'
import { arrayLiteral, nameOf, type Statement, statement } from './sql.ts'

/** Appends arrivals, each with its deliveries, and touches no lane: they enter their handlers' intake. */
export function prepareAppend(
  database: Database,
  schema: string,
): (arrivals: readonly Arrival[]) => Promise<readonly Appended[]> {
  const insert = prepareInsertArrivals(schema)
  const find = prepareFindKnown(schema)
  const setAside = prepareSetAside(schema)
  const quarantine = prepareQuarantine(schema)
  const findNewest = prepareFindNewest(schema)

  async function append(arrivals: readonly Arrival[]): Promise<readonly Appended[]> {
    if (arrivals.length === 0) return []
    try {
      return await appendTogether(arrivals)
    } catch (error) {
      if (!isPoison(error)) throw error
    }
    const [only] = arrivals
    if (arrivals.length === 1 && only !== undefined) {
      await database.use((client) => quarantine(client, only.hash, only.body, only.refused === undefined))
      return ['quarantined']
    }
    const half = Math.ceil(arrivals.length / 2)
    return [...(await append(arrivals.slice(0, half))), ...(await append(arrivals.slice(half)))]
  }

  async function appendTogether(arrivals: readonly Arrival[]): Promise<readonly Appended[]> {
    const answers: Appended[] = []
    while (answers.length < arrivals.length) {
      answers.push(...(await appendOnce(untilRepeat(arrivals.slice(answers.length)))))
    }
    return answers
  }

  /** Arrivals of different keys. */
  async function appendOnce(arrivals: readonly Arrival[], asNew = false): Promise<readonly Appended[]> {
    const rows = await database.use((client) => insert(client, ...columnsOf(arrivals), asNew))
    const answers = new Map(rows.map(({ place, answer }) => [place, answer]))
    if (rows.length === arrivals.length && rows.every(({ answer }) => answer === 'stored')) {
      return arrivals.map(() => 'stored')
    }
    const known = await findKnown(arrivals.filter((_, place) => answers.get(place) !== 'stored'))
    const isNew = await judgeAgain(arrivals.filter((arrival) => !known.has(keyText(arrival.key))))
    return Promise.all(
      arrivals.map(async (arrival, place) => {
        const answer = answers.get(place)
        if (answer === 'stored' || answer === 'unwanted') return answer
        const there = known.get(keyText(arrival.key))
        if (there === undefined && answer === undefined && isNew(arrival)) return appendAsNew(arrival)
        return there === undefined && answer === 'not kept' ? 'unwanted' : appendKnown(arrival, there)
      }),
    )
  }

  /** The server's clock may be wrong: what looks too old by it may be new by the newest events. */
  async function judgeAgain(unknown: readonly Arrival[]): Promise<(arrival: Arrival) => boolean> {
    if (unknown.length === 0) return () => false
    const newest = await database.use(findNewest)
    const time = Math.max(newest, ...unknown.map(({ key }) => key.createInstant))
    return (arrival) => !isStale(arrival, time)
  }

  async function appendAsNew(arrival: Arrival): Promise<Appended> {
    const [answer = 'stale'] = await appendOnce([arrival], true)
    return answer
  }

  async function findKnown(arrivals: readonly Arrival[]): Promise<ReadonlyMap<string, Known>> {
    const rows = await database.use((client) => find(client, ...keyColumnsOf(arrivals.map(({ key }) => key))))
    return new Map(
      rows.map((row) => [keyText({ createInstant: row.created, tenantId: row.tenant, id: row.id }), row]),
    )
  }

  /** What is neither stored nor known was too old to be taken for new. */
  async function appendKnown(arrival: Arrival, known: Known | undefined): Promise<Appended> {
    if (known !== undefined && Buffer.compare(known.hash, arrival.hash) === 0) return 'duplicate'
    const kind = known === undefined ? 'stale' : 'conflict'
    await database.use((client) => setAside(client, kind, ...asideColumnsOf(arrival)))
    return kind
  }

  return append
}

interface Known {
  readonly created: number
  readonly tenant: string
  readonly id: string
  readonly hash: Uint8Array
}

/** As many as have keys of their own: what comes under a key a second time is another statement's, and so is all behind it, in order. */
function untilRepeat(arrivals: readonly Arrival[]): readonly Arrival[] {
  const seen = new Set<string>()
  const repeat = arrivals.findIndex(({ key }) => seen.size === seen.add(keyText(key)).size)
  return repeat === -1 ? arrivals : arrivals.slice(0, repeat)
}

function keyText({ createInstant, tenantId, id }: EventKey): string {
  return `${createInstant} ${tenantId} ${id}`
}

/**
 * Bodies and hashes travel as one value each, cut apart on the other side: an array of them would be written in hex. Lanes and
 * subjects, whatever text, become names.
 */
function columnsOf(arrivals: readonly Arrival[]): readonly unknown[] {
  let end = 0
  return [
    ...keyColumnsOf(arrivals.map(({ key }) => key)),
    arrivals.map(({ type }) => type),
    arrivals.map(({ source }) => source),
    arrivals.map(({ receivedAt }) => Math.round(receivedAt)),
    arrivals.map(({ lane }) => (lane === undefined ? undefined : nameOf(lane))),
    arrivals.map(({ applicationIds }) => arrayLiteral(applicationIds)),
    arrivals.map(({ subjects }) => arrayLiteral([...new Set(subjects)].map(nameOf))),
    arrivals.map(({ refused }) => refused),
    arrivals.map(({ trace }) => trace),
    arrivals.map(({ ifUnwanted }) => ifUnwanted),
    arrivals.map(({ body }) => (end += body.length)),
    Buffer.concat(arrivals.map((arrival) => arrival.hash)),
    Buffer.concat(arrivals.map(({ body }) => body)),
  ]
}

function asideColumnsOf({ key, type, source, receivedAt, lane, ...arrival }: Arrival): readonly unknown[] {
  return [
    arrival.hash,
    key.createInstant,
    key.tenantId,
    key.id,
    type,
    source,
    Math.round(receivedAt),
    lane === undefined ? undefined : nameOf(lane),
    arrival.subjects.map(nameOf),
    arrival.applicationIds,
    arrival.trace,
    arrival.body,
    arrival.refused === undefined,
  ]
}

function keyColumnsOf(keys: readonly EventKey[]): readonly unknown[] {
  return [
    keys.map(({ createInstant }) => createInstant),
    keys.map(({ tenantId }) => tenantId),
    keys.map(({ id }) => id),
  ]
}

/** The parameters of `columnsOf` as a table, in their order. */
const arrivalRows = `
  unnest(
    $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[],
    $12::text[], $13::int[]
  ) with ordinality
  as a (created, tenant, id, type, source, received, lane, applications, subjects, refused, trace, if_unwanted, ends, place)`

/** In the caller's own transaction, and ahead of whatever default the role has. */
const durably = `(select set_config('synchronous_commit', 'on', true)) = 'on'`

/** Whether handler `h` wants an event. */
const wants = (event: string) => `
    h.abandoned is null
    and (h.types is null or ${event}.type = any (h.types))
    and (h.tenants is null or ${event}.tenant = any (h.tenants))
    and (h.applications is null or ${event}.applications && h.applications)`

/** Gives the stored event in `stored` to every handler that wants it. */
export const fanOut = (schema: string): string => `
  insert into ${schema}.intake (handler, position, created, lane)
  select h.id, s.position, s.created, case when h.ordered then coalesce(s.lane, s.own_lane) else s.own_lane end
  from stored s join ${schema}.handlers h
    on ${wants('s')}`

/** Whether it is of somebody who was erased, and not newer than that. Index: primary key (person). */
const isErased = (schema: string, event: string): string => `
    exists (select from ${schema}.erased) and exists (
      select from unnest(${event}.subjects) n
      join ${schema}.erased x on x.person in (${schema}.person(n, '*'), ${schema}.person(n, ${event}.tenant))
      where case when ${event}.created = 0 then ${event}.received else ${event}.created end <= x.at
    )`

/**
 * `stored`: new, or refused before and accepted now, so that it takes its place behind what was answered meanwhile. `unwanted`: its key
 * alone was kept. `not kept`: no handler wants it and `ifUnwanted` is `nothing`; it may be known. No row: known, or stale.
 */
interface AnswerRow {
  readonly place: number
  readonly answer: 'stored' | 'unwanted' | 'not kept'
}

/**
 * One statement, one trip, one commit. Places are numbered in order of arrival; rows are written in order of key, or two batches with the
 * same events in opposite order would deadlock. Index: primary key (created, tenant, id).
 */
function prepareInsertArrivals(schema: string): Statement<AnswerRow> {
  return statement(
    `${schema}.append`,
    `
    with arrival as materialized (
      select a.created, a.tenant, a.id, a.type, a.source, a.received, a.lane, a.applications::text[] as applications,
        a.subjects::uuid[] as subjects, a.refused, a.trace, a.if_unwanted, a.ends, a.place,
        nextval('${schema}.positions') as position, lag(ends, 1, 0) over (order by place) as start
      from ${arrivalRows}
      where ${durably}
    ), judged as materialized (
      select a.*, case
          when ${isErased(schema, 'a')} then 'erased'
          when a.if_unwanted is not null and a.refused is null
            and not exists (select from ${schema}.handlers h where ${wants('a')}) then 'unwanted'
        end as gone,
        not $16::boolean and source = 'door' and created <> 0 and created < ${schema}.now() - ${keysOutliveMs} as stale -- as isStale says
      from arrival a
    ), inserted as (
      insert into ${schema}.events
        (created, position, received, lane, hash, tenant, id, type, source, refused, applications, trace, kept, body, gone)
      select created, position, received, case when gone is null then lane end,
        substring($14::bytea from (place::int - 1) * 32 + 1 for 32), tenant, id, type, source,
        case when gone is null or refused is null then refused else '${refusalErased}' end,
        case when gone is null then applications else '{}' end, case when gone is null then trace end, (select ${schema}.now()),
        case when gone is null then substring($15::bytea from start + 1 for ends - start) end, gone
      from judged
      where not stale and (coalesce(gone, '') <> 'unwanted' or if_unwanted = 'key')
      order by created, tenant collate "C", id collate "C"
      on conflict (created, tenant, id) do update
      set position = excluded.position, received = excluded.received, lane = excluded.lane, hash = excluded.hash,
        type = excluded.type, source = excluded.source, refused = null, applications = excluded.applications, trace = excluded.trace,
        kept = excluded.kept, body = excluded.body, gone = excluded.gone
      where events.refused is not null and excluded.refused is null
      returning position
    ), stored as materialized (
      select a.place, a.position, a.created, a.received, a.lane, ${schema}.own_lane(a.position) as own_lane,
        a.type, a.tenant, a.applications, a.subjects, a.refused, a.gone
      from inserted join judged a using (position)
    ), named as (
      insert into ${schema}.names (bucket, name, position, created)
      select position >> 16, unnest(subjects), position, created from stored where gone is null
    ), decided as (
      insert into ${schema}.unwanted (position, created, received)
      select position, created, received from stored where gone = 'unwanted'
    ), fanned as (
      ${fanOut(schema)}
      where s.refused is null and s.gone is null
    )
    select (place - 1)::float8 as place, case when gone = 'unwanted' then 'unwanted' else 'stored' end as answer from stored
    union all
    select (place - 1)::float8, 'not kept' from judged
    where gone = 'unwanted' and if_unwanted = 'nothing' and not stale
    `,
  )
}

/** Index: primary key (created, tenant, id). */
function prepareFindKnown(schema: string): Statement<Known> {
  return statement(
    `${schema}.append_known`,
    `
    select e.created::float8, e.tenant, e.id, e.hash
    from unnest($1::bigint[], $2::text[], $3::text[]) as k (created, tenant, id)
    cross join lateral (
      select * from ${schema}.events e where e.created = k.created and e.tenant = k.tenant and e.id = k.id limit 1
    ) e
    `,
  )
}

/** A gate that refused these bytes may let a resend pass. */
const acceptedAtLast = `
    on conflict (hash) do update set accepted = true where excluded.accepted and not aside.accepted`

/** Once, however often it is sent. Index: primary key (hash). */
function prepareSetAside(schema: string): Statement<never> {
  return statement(
    `${schema}.append_aside`,
    `
    insert into ${schema}.aside
      (kind, hash, created, tenant, id, type, source, received, lane, names, applications, trace, body, accepted)
    select $1, $2::bytea, a.created, a.tenant, $5, $6, $7, a.received, $9, a.subjects, $11, $12, $13, $14::boolean
    from (select $3::bigint as created, $4::text as tenant, $8::bigint as received, $10::uuid[] as subjects) a
    where ${durably} and not (${isErased(schema, 'a')})
    ${acceptedAtLast}
    `,
  )
}

/** The bytes alone: any of the other fields may be what no column takes. Index: primary key (hash). */
function prepareQuarantine(schema: string): Statement<never> {
  return statement(
    `${schema}.append_quarantined`,
    `
    insert into ${schema}.aside (kind, hash, body, accepted)
    select 'quarantined', $1::bytea, $2::bytea, $3::boolean where ${durably}
    ${acceptedAtLast}
    `,
  )
}
