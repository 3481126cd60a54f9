import type { Pool } from 'pg'

/** Rows read so far, by index or by walking a table from end to end. */
export async function rowsRead(session: Pool, inbox: string): Promise<number> {
  await session.query('select pg_stat_force_next_flush()')
  const { rows } = await session.query<{ read: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_user_tables where schemaname = $1`,
    [inbox],
  )
  return rows[0]?.read ?? Number.NaN
}
