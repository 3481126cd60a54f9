import { query } from './server.ts'

/** Lets the time of an inbox stand still: every statement asks the one function that is replaced here. */
export async function setTime(url: string, schema: string, at: number): Promise<void> {
  await query(
    url,
    `create or replace function ${schema}.now() returns bigint language sql stable return ${at}::bigint`,
  )
}
