import { asidesOf, type Filter, replayOf } from '../../../model/filter.ts'
import type { EventKey } from '../../../model/event-key.ts'
import { applicationsIn } from './applications-in.ts'
import type { FoundEvent } from './find.ts'
import { prepareReplaySetAside } from './replay-set-aside.ts'
import type { Append } from '../append.ts'
import type { Registry } from '../registry.ts'
import { query, type SqliteSql } from '../sql.ts'

/**
 * Makes deliveries of these events pending again, inside the caller's transaction. They go through the intake, which admits in order of seq.
 * The events were found outside of the transaction, so each statement checks the state it expects. Returns the number of deliveries.
 */
export function prepareReplay(
  db: SqliteSql,
  registry: Registry,
  append: Append,
): (found: readonly FoundEvent[], where: Filter, now: number) => number {
  const restart = prepareRestart(db)
  const deleteFailing = prepareDeleteFailing(db)
  const makeDelivery = prepareMakeDelivery(db)
  const accept = prepareAccept(db)
  const findEvent = prepareFindEvent(db)
  const findLane = prepareFindLane(db)
  const replaySetAside = prepareReplaySetAside(db, append)

  function replay({ seq, kept }: FoundEvent, where: Filter): number {
    const { ended, missing } = replayOf(kept, where)
    let made = 0
    for (const { handler, state } of ended) {
      const id = registry.activeIdOf(handler)
      if (id === undefined || !restart(seq, id, state)) continue
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
    const lane = event.lane ?? findLane(seq)
    const wanting = registry.findWanting({ type, key, applicationIds: applicationsIn(body) })
    let made = 0
    for (const { id, handler, ordering } of wanting) {
      if (only !== undefined && only !== handler) continue
      if (makeDelivery(seq, id, ordering === 'none' ? null : lane)) made++
    }
    if (made > 0) accept(seq)
    return made
  }

  return (found, where, now) => {
    const aside = asidesOf(where).length > 0
    let made = 0
    for (const placed of found) made += aside ? replaySetAside(placed, where, now) : replay(placed, where)
    return made
  }
}

/** Index: primary key (seq, handler), as for the next four. */
function prepareRestart(db: SqliteSql): (seq: number, handler: number, state: string) => boolean {
  const restart = db.prepare(`
    update fw_deliveries
    set state = 'intake', due = null, attempts = 0, crashes = 0, reason = null, failures = null
    where seq = :seq and handler = :handler and state = :state and state in ('succeeded', 'dead')
      and exists (select 1 from fw_events where seq = :seq and body is not null)
  `)
  // The table holds an abandoned delivery as `succeeded`, with the reason `abandoned`.
  return (seq, handler, state) =>
    restart.run({ seq, handler, state: state === 'abandoned' ? 'succeeded' : state }).changes !== 0
}

/** Processes of older versions keep a lane's failing time in fw_failing: a replay resets it. Index: primary key (handler, lane). */
function prepareDeleteFailing(db: SqliteSql): (seq: number, handler: number) => void {
  const deleteFailing = db.prepare(`
    delete from fw_failing
    where handler = :handler
      and lane = (select coalesce(lane, seq) from fw_deliveries where seq = :seq and handler = :handler)
  `)
  return (seq, handler) => void deleteFailing.run({ seq, handler })
}

function prepareMakeDelivery(db: SqliteSql): (seq: number, handler: number, lane: string | null) => boolean {
  const insert = db.prepare(`
    insert into fw_deliveries (seq, handler, lane) values (?, ?, ?)
    on conflict (seq, handler) do nothing
  `)
  return (seq, handler, lane) => insert.run(seq, handler, lane).changes !== 0
}

function prepareFindLane(db: SqliteSql): (seq: number) => string | null {
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
function prepareFindEvent(db: SqliteSql): (seq: number) => EventRow | undefined {
  const find = query<EventRow>(db, 'select type, body, lane from fw_events where seq = ?')
  return (seq) => find.get(seq)
}

/** A person overruled the gate that refused the event. */
function prepareAccept(db: SqliteSql): (seq: number) => void {
  const accept = db.prepare('update fw_events set refused = null where seq = ? and refused is not null')
  return (seq) => void accept.run(seq)
}
