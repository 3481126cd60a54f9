import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'

/** Rows read so far, by index or by walking a table from end to end. */
export async function rowsRead(session: Pool, inbox: string): Promise<number> {
  await flushStatistics(session)
  const { rows } = await session.query<{ read: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_user_tables where schemaname = $1`,
    [inbox],
  )
  return rows[0]?.read ?? Number.NaN
}

async function flushStatistics(session: Pool): Promise<void> {
  const { rows } = await session.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  )
  if ((rows[0]?.version ?? 0) >= 150_000) {
    await session.query('select pg_stat_force_next_flush()')
    return
  }
  // Before version 15 a session reports what it has read at most every half second, and what is shown may be half a second old.
  await sleep(700)
  await session.query('select 1')
  await sleep(700)
}
