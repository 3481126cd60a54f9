import { query } from './server.ts'

/** Moves the time of an inbox ahead of the server's: every statement asks the one function that is replaced here. */
export async function shiftTime(url: string, schema: string, ms: number): Promise<void> {
  await query(
    url,
    `
    create or replace function ${schema}.now() returns bigint language sql stable
      return (extract(epoch from statement_timestamp()) * 1000)::bigint + ${ms}
    `,
  )
}
