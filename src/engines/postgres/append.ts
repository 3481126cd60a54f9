import { keyOf } from '../../model/event-row.ts'
import type { Appended } from '../../model/engine.ts'
import type { Arrival } from '../../model/arrival.ts'
import { keyText } from '../../model/event-key.ts'
import { isStale } from '../../model/retention.ts'
import { isPoison } from './errors.ts'
import { type Statement, statement } from './sql.ts'
import type { Database } from './storage/database.ts'
import { prepareFindNewestTime } from './storage/judge-time.ts'
import { keyColumnsOf, prepareInsertArrivals } from './write/insert-arrivals.ts'
import { prepareQuarantine, prepareSetAside } from './write/set-aside.ts'

/** Appends arrivals, each with its deliveries. The deliveries enter the intake of their handlers; claim admits them to their lanes. */
export function prepareAppend(
  database: Database,
  schema: string,
): (arrivals: readonly Arrival[]) => Promise<readonly Appended[]> {
  const insert = prepareInsertArrivals(schema)
  const findByKey = prepareFindByKey(schema)
  const setAside = prepareSetAside(schema)
  const quarantine = prepareQuarantine(schema)
  const findNewestTime = prepareFindNewestTime(schema)

  /** Halves a batch that a poison arrival failed, until that arrival is alone. */
  async function append(arrivals: readonly Arrival[]): Promise<readonly Appended[]> {
    if (arrivals.length === 0) return []
    try {
      return await appendAll(arrivals)
    } catch (error) {
      if (!isPoison(error)) throw error
    }
    const [only] = arrivals
    if (arrivals.length === 1 && only !== undefined) {
      await database.use((client) => quarantine(client, only))
      return ['quarantined']
    }
    const half = Math.ceil(arrivals.length / 2)
    return [...(await append(arrivals.slice(0, half))), ...(await append(arrivals.slice(half)))]
  }

  async function appendAll(arrivals: readonly Arrival[]): Promise<readonly Appended[]> {
    const answers: Appended[] = []
    while (answers.length < arrivals.length) {
      answers.push(...(await appendDistinct(untilRepeatedKey(arrivals.slice(answers.length)), false)))
    }
    return answers
  }

  /**
   * Appends arrivals of different keys.
   *
   * @param asNew Whether even an arrival that is too old by the server's clock is stored.
   */
  async function appendDistinct(arrivals: readonly Arrival[], asNew: boolean): Promise<readonly Appended[]> {
    const rows = await database.use((client) => insert(client, arrivals, asNew))
    const answers = new Map(rows.map(({ place, answer }) => [place, answer]))
    if (rows.length === arrivals.length && rows.every(({ answer }) => answer === 'stored')) {
      return arrivals.map(() => 'stored')
    }
    const known = await findKnown(arrivals.filter((_, place) => answers.get(place) !== 'stored'))
    const unknown = arrivals.filter((arrival) => !known.has(keyText(arrival.key)))
    const isNew = asNew ? () => false : await judgeByNewest(unknown)
    const late = arrivals.filter(
      (arrival, place) => !answers.has(place) && !known.has(keyText(arrival.key)) && isNew(arrival),
    )
    // In one statement, so that their positions are in order of arrival.
    const lateAnswers = late.length === 0 ? [] : await appendDistinct(late, true)
    const ofLate = new Map(late.map((arrival, index) => [arrival, lateAnswers[index]]))
    const toSetAside: { kind: 'conflict' | 'stale'; arrival: Arrival }[] = []
    const all = arrivals.map((arrival, place): Appended => {
      const answer = answers.get(place)
      if (answer === 'stored' || answer === 'unwanted') return answer
      const lateAnswer = ofLate.get(arrival)
      if (lateAnswer !== undefined) return lateAnswer
      const found = known.get(keyText(arrival.key))
      if (found === undefined && answer === 'not kept') return 'unwanted'
      if (found !== undefined && Buffer.compare(found.hash, arrival.hash) === 0) return 'duplicate'
      const kind = found === undefined ? 'stale' : 'conflict'
      toSetAside.push({ kind, arrival })
      return kind
    })
    if (toSetAside.length > 0) await setAllAside(toSetAside)
    return all
  }

  /** The server's clock may be wrong: an arrival that is too old by it may be new by the newest events. */
  async function judgeByNewest(unknown: readonly Arrival[]): Promise<(arrival: Arrival) => boolean> {
    if (unknown.length === 0) return () => false
    const newest = await database.use(findNewestTime)
    const time = Math.max(newest, ...unknown.map(({ key }) => key.createInstant))
    return (arrival) => !isStale(arrival, time)
  }

  async function findKnown(arrivals: readonly Arrival[]): Promise<ReadonlyMap<string, KnownRow>> {
    const rows = await database.use((client) =>
      findByKey(client, ...keyColumnsOf(arrivals.map(({ key }) => key))),
    )
    return new Map(rows.map((row) => [keyText(keyOf(row)), row]))
  }

  /**
   * In one transaction, so that a batch of many waits for one commit and takes one connection. In order of hash: two batches with the same
   * arrivals in opposite order would deadlock.
   */
  async function setAllAside(
    asides: readonly { readonly kind: 'conflict' | 'stale'; readonly arrival: Arrival }[],
  ): Promise<void> {
    const inOrder = asides.toSorted((a, b) => Buffer.compare(a.arrival.hash, b.arrival.hash))
    await database.transact(async (client) => {
      for (const { kind, arrival } of inOrder) await setAside(client, kind, arrival)
    })
  }

  return append
}

interface KnownRow {
  readonly created: number
  readonly tenant: string
  readonly id: string
  readonly hash: Uint8Array
}

/** The arrivals before the first one whose key another has already: that one, and all behind it, wait for the next statement. */
function untilRepeatedKey(arrivals: readonly Arrival[]): readonly Arrival[] {
  const seen = new Set<string>()
  const repeat = arrivals.findIndex(({ key }) => seen.size === seen.add(keyText(key)).size)
  return repeat === -1 ? arrivals : arrivals.slice(0, repeat)
}

/** Index: primary key (created, tenant, id). */
function prepareFindByKey(schema: string): Statement<KnownRow> {
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
