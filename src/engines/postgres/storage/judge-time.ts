import type { Clock } from '../../../lib/clock.ts'
import { judgedTime } from '../../../model/judged-time.ts'
import { type PostgresClient, statement } from '../sql.ts'

export interface JudgedNow {
  /** The time by which events are judged to be old: the server's clock, as far as the newest events confirm it. See `JudgedTime`. Epoch ms. */
  readonly at: number
  /** How far the server's clock is ahead of what is confirmed, in ms, when that is more than an hour; otherwise 0. */
  readonly doubtedMs: number
}

/**
 * Returns the judged time, inside the caller's transaction, and adds to it the time that this process has run since it last asked. When
 * another node has asked since, only the time since then is added: several nodes that run beside each other run no longer than one.
 */
export function prepareJudgeTime(
  schema: string,
  clock: Clock,
  warn: (aheadMs: number) => void,
): (client: PostgresClient) => Promise<JudgedNow> {
  const find = statement<JudgedRow>(
    `${schema}.judged`,
    `
    select ${schema}.now()::float8 as now, j.at::float8 as at, j.doubt::float8 as doubt, j.asked::float8 as asked, (
      select created from ${schema}.events where source = 'door' and created > 0 order by created desc limit 1
    )::float8 as newest
    from (values (true)) one left join ${schema}.judged j on true
    `,
  )
  const save = statement<never>(
    `${schema}.judged_save`,
    `
    insert into ${schema}.judged (at, doubt, asked) values ($1::bigint, $2::bigint, $3::bigint)
    on conflict (one) do update set at = excluded.at, doubt = excluded.doubt, asked = excluded.asked
    `,
  )
  let askedAt = clock.now()

  return async (client) => {
    const [row] = await find(client)
    const { now, at, doubt, asked, newest } = row ?? nothingJudged
    let ranMs = 0
    const time = judgedTime({ at: at ?? newest ?? undefined, doubtMs: doubt ?? 0 }, () => ranMs)
    const ownMs = Math.max(0, clock.now() - askedAt)
    askedAt += ownMs
    ranMs = asked === null ? ownMs : Math.min(ownMs, Math.max(0, now - asked))
    if (newest === null) time.at(now)
    else time.saw(newest, now)
    const state = time.state()
    await save(client, state.at === undefined ? null : Math.round(state.at), Math.round(state.doubtMs), now)
    const doubtedMs = time.doubted(now)
    if (doubtedMs > 0) warn(doubtedMs)
    return { at: Math.floor(time.at(now)), doubtedMs } // Every column that it is compared with holds whole milliseconds.
  }
}

interface JudgedRow {
  readonly now: number
  readonly at: number | null
  readonly doubt: number | null
  readonly asked: number | null
  readonly newest: number | null
}

const nothingJudged: JudgedRow = { now: 0, at: null, doubt: null, asked: null, newest: null }

/**
 * Returns the newest time that an event confirms, epoch ms, or 0 without events: an arrival that looks too old by the server's clock is
 * judged by this time again. Index: primary key (created, tenant, id), at the right end of each partition.
 */
export function prepareFindNewestTime(schema: string): (client: PostgresClient) => Promise<number> {
  const find = statement<{ newest: number | null }>(
    `${schema}.newest`,
    `
    select least(${schema}.now(), coalesce(greatest((select at from ${schema}.judged), (
      select created from ${schema}.events where source = 'door' and created > 0 order by created desc limit 1
    )), 0))::float8 as newest
    `,
  )
  return async (client) => (await find(client))[0]?.newest ?? 0
}
