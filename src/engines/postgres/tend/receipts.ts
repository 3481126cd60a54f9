import { pageOf } from '../../../model/page-of.ts'
import { receiptLimit, receiptOf, type ReceiptRow } from '../../../model/receipt.ts'
import type { Tending } from '../../../model/tending.ts'
import type { Database } from '../storage/database.ts'
import { statement } from '../sql.ts'

/** Receipts of requests that left no event, the last `receiptLimit` of them. Index: primary key. */
export function createReceipts(database: Database, schema: string): Pick<Tending, 'record' | 'receipts'> {
  const insert = statement(
    `${schema}.record`,
    `
    with added as (
      insert into ${schema}.receipts (at, took, status, outcome, reason, type, id)
      select * from unnest($1::float8[], $2::float8[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[])
      where (select set_config('synchronous_commit', 'off', true)) = 'off'
      returning place
    )
    delete from ${schema}.receipts where place <= (select max(place) - ${receiptLimit} from added)
    `,
  )
  const newest = statement<FoundRow>(`${schema}.receipts_newest`, select(schema, '<', 'desc'))
  const oldest = statement<FoundRow>(`${schema}.receipts_oldest`, select(schema, '>', 'asc'))
  return {
    async record(given) {
      await database.use((client) =>
        insert(
          client,
          given.map(({ at }) => at),
          given.map(({ tookMs }) => tookMs),
          given.map(({ status }) => status),
          given.map(({ outcome }) => outcome),
          given.map(({ reason }) => reason),
          given.map(({ type }) => type),
          given.map(({ id }) => id),
        ),
      )
    },
    async receipts({ limit, after, order = 'newest' }) {
      const find = order === 'newest' ? newest : oldest
      const rows = await database.use((client) => find(client, after, limit + 1))
      const page = pageOf(rows, limit, ({ place }) => place)
      return { ...page, items: page.items.map(receiptOf) }
    },
  }
}

interface FoundRow extends ReceiptRow {
  readonly place: number
}

function select(schema: string, behind: '<' | '>', order: 'desc' | 'asc'): string {
  return `
    select place::float8, at, took, status, outcome, reason, type, id from ${schema}.receipts
    where $1::bigint is null or place ${behind} $1
    order by receipts.place ${order} limit $2::int
    `
}
