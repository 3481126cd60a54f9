import { readEvent } from '../../../events/read-event.ts'
import { asidesOf, type Filter, replayOf } from '../../../model/filter.ts'
import type { Arrival } from '../../../model/arrival.ts'
import type { EventKey } from '../../../model/event-key.ts'
import { applicationsOf } from '../../../model/wants.ts'
import { idOfHash, readingAside, subjectsOf } from './aside.ts'
import type { Placed } from './find.ts'
import type { Registry } from '../registry.ts'
import { query, type SqliteSql } from '../sql.ts'

/**
 * Makes deliveries of these events pending again, inside the caller's transaction: they go through the intake, which admits in order of
 * place. The events were looked up outside of it, so every change asks for the state it expects.
 */
export function replaying(
  db: SqliteSql,
  registry: Registry,
  append: (arrivals: readonly Arrival[], careful: boolean, now: number) => unknown,
): (found: readonly Placed[], where: Filter, now: number) => number {
  const again = restarting(db)
  const deleteFailing = prepareDeleteFailing(db)
  const make = making(db)
  const accept = accepting(db)
  const findEvent = findingEvent(db)
  const laneAmong = findingLane(db)
  const readAside = readingAside(db)
  const takeAside = takingAside(db)
  const count = query<{ count: number }>(
    db,
    'select count(*) as count from fw_deliveries d where seq = (select seq from fw_events where created = ? and tenant = ? and id = ?)',
  )

  function replay({ seq, kept }: Placed, where: Filter): number {
    const { ended, missing } = replayOf(kept, where)
    let made = 0
    for (const { handler, state } of ended) {
      const id = registry.activeIdOf(handler)
      if (id === undefined || !again(seq, id, state)) continue
      deleteFailing(seq, id)
      made++
    }
    if (missing) made += makeMissing(seq, kept.key, where.handler)
    return made
  }

  function makeMissing(seq: number, key: EventKey, only: string | undefined): number {
    const event = findEvent(seq)
    if (event?.body === undefined || event.body === null) return 0
    const { type, body } = event
    const lane = event.lane ?? laneAmong(seq)
    const wanting = registry.wanting({ type, key, applicationIds: applicationsIn(body) })
    let made = 0
    for (const { id, handler, ordering } of wanting) {
      if (only !== undefined && only !== handler) continue
      if (make(seq, id, ordering === 'none' ? null : lane)) made++
    }
    if (made > 0) accept(seq)
    return made
  }

  /** It becomes an event of its own: its key is taken, so the hash of its body stands for its id. */
  function replayAside({ seq }: Placed, where: Filter, now: number): number {
    // The place may have gone to another arrival since this one was found.
    const kept = readAside(seq, asidesOf(where), where.userId, false)
    const row = kept !== undefined && replayOf(kept, where).missing ? takeAside(seq) : undefined
    if (kept === undefined || row === undefined) return 0
    const id = idOfHash(row.hash)
    const { type, receivedAt } = kept
    const { createInstant, tenantId } = kept.key
    append(
      [
        {
          key: { createInstant, tenantId, id },
          type,
          source: 'manual',
          receivedAt,
          hash: row.hash,
          body: row.body,
          ...(row.lane !== null && { lane: row.lane }),
          applicationIds: applicationsIn(row.body),
          subjects: subjectsOf(row),
        },
      ],
      false,
      now,
    )
    return count.get(createInstant, tenantId, id)?.count ?? 0
  }

  return (found, where, now) => {
    const aside = asidesOf(where).length > 0
    let made = 0
    for (const placed of found) made += aside ? replayAside(placed, where, now) : replay(placed, where)
    return made
  }
}

/** For the filters of subscriptions. */
function applicationsIn(body: Uint8Array): readonly string[] {
  const event = readEvent(body, () => '')
  return typeof event === 'string' ? [] : applicationsOf(event)
}

/** Index: primary key (seq, handler), as for the next four. */
function restarting(db: SqliteSql): (seq: number, handler: number, state: string) => boolean {
  const restart = db.prepare(`
    update fw_deliveries
    set state = 'intake', due = null, attempts = 0, crashes = 0, reason = null, failures = null
    where seq = :seq and handler = :handler and state = :state and state in ('succeeded', 'dead')
      and exists (select 1 from fw_events where seq = :seq and body is not null)
  `)
  // An abandoned delivery is kept as one that ended well, with its reason.
  return (seq, handler, state) =>
    restart.run({ seq, handler, state: state === 'abandoned' ? 'succeeded' : state }).changes !== 0
}

/** For processes of older versions, which count a lane's failing time there: it starts anew. Index: primary key (handler, lane). */
function prepareDeleteFailing(db: SqliteSql): (seq: number, handler: number) => void {
  const deleteFailing = db.prepare(`
    delete from fw_failing
    where handler = :handler
      and lane = (select coalesce(lane, seq) from fw_deliveries where seq = :seq and handler = :handler)
  `)
  return (seq, handler) => void deleteFailing.run({ seq, handler })
}

function making(db: SqliteSql): (seq: number, handler: number, lane: string | null) => boolean {
  const insert = db.prepare(`
    insert into fw_deliveries (seq, handler, lane) values (?, ?, ?)
    on conflict (seq, handler) do nothing
  `)
  return (seq, handler, lane) => insert.run(seq, handler, lane).changes !== 0
}

function findingLane(db: SqliteSql): (seq: number) => string | null {
  const find = query<{ lane: string | null }>(
    db,
    'select lane from fw_deliveries where seq = ? and lane is not null limit 1',
  )
  return (seq) => find.get(seq)?.lane ?? null
}

interface EventRow {
  readonly type: string
  readonly body: Uint8Array | null
  readonly lane: string | null
}

/** Index: primary key (seq), as for the next. */
function findingEvent(db: SqliteSql): (seq: number) => EventRow | undefined {
  const find = query<EventRow>(db, 'select type, body, lane from fw_events where seq = ?')
  return (seq) => find.get(seq)
}

/** A person overruled the gate that refused it. */
function accepting(db: SqliteSql): (seq: number) => void {
  const accept = db.prepare('update fw_events set refused = null where seq = ? and refused is not null')
  return (seq) => void accept.run(seq)
}

interface TakenAside {
  readonly hash: Uint8Array
  readonly body: Uint8Array
  readonly lane: string | null
  readonly subjects: string | null
}

/** Index: primary key (seq). */
function takingAside(db: SqliteSql): (seq: number) => TakenAside | undefined {
  const take = query<TakenAside>(
    db,
    'delete from fw_aside where seq = ? returning hash, body, lane, subjects',
  )
  return (seq) => take.get(seq)
}
