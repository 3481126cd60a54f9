import type { Scrubbed } from '../../../model/erased-step.ts'
import { type Statement, statement } from '../sql.ts'
import type { Database } from './database.ts'

/** ANALYZE reads at most 30,000 pages of a table, but all of them may come from the disk. */
const analyzeWithinMs = 60_000

/**
 * PostgreSQL overwrites erased rows in its own time. Until then a query can still reach samples of column values that ANALYZE stored for the
 * planner (pg_stats), among them bodies below a kilobyte. Analyzes each table anew whose samples hold one of the erased texts.
 *
 * @returns `pending` while samples hold such a text. ANALYZE needs the owner of the table, or MAINTAIN from PostgreSQL 17 on; for another
 *   role PostgreSQL skips the table.
 */
export function prepareScrub(
  database: Database,
  schema: string,
): (gone: readonly string[]) => Promise<Scrubbed> {
  const findSampled = prepareFindSampled(schema)
  return async (gone) => {
    const texts = gone.map((text) => text.toLowerCase())
    const bytes = gone.map((text) => Buffer.from(text).toString('hex'))
    const sampled = await database.use((client) => findSampled(client, texts, bytes))
    if (sampled.length === 0) return 'overwritten later'
    for (const { tablename } of sampled) {
      await database.withConnection((client) =>
        client.query({ text: `analyze ${schema}."${tablename}"`, query_timeout: analyzeWithinMs }),
      )
    }
    const left = await database.use((client) => findSampled(client, texts, bytes))
    return left.length === 0 ? 'overwritten later' : 'pending'
  }
}

/** Samples of a bytea column are hex texts. */
function prepareFindSampled(schema: string): Statement<{ tablename: string }> {
  return statement(
    `${schema}.erase_samples`,
    `
    select distinct tablename::text from (
      select tablename,
        lower(coalesce(most_common_vals::text, '') || coalesce(histogram_bounds::text, '')) as sample
      from pg_stats where format('"%s"', schemaname) = '${schema}'
    ) s
    where exists (select from unnest($1::text[]) text where strpos(sample, text) > 0)
      or exists (select from unnest($2::text[]) bytes where strpos(sample, bytes) > 0)
    `,
  )
}
