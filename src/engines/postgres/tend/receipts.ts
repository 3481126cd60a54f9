import { type Receipt, receiptLimit } from '../../../model/receipt.ts'
import type { Tending } from '../../../model/tending.ts'
import type { Database } from '../storage/database.ts'
import { statement } from '../sql.ts'

/** What requests were answered that left no event, in a ring. Indexes: the primary key. */
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
  const newest = statement<ReceiptRow>(`${schema}.receipts_newest`, select(schema, '<', 'desc'))
  const oldest = statement<ReceiptRow>(`${schema}.receipts_oldest`, select(schema, '>', 'asc'))
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
      const items = rows.slice(0, limit)
      const last = rows.length > limit ? items.at(-1) : undefined
      return { items: items.map(receiptOf), ...(last !== undefined && { next: String(last.place) }) }
    },
  }
}

interface ReceiptRow {
  readonly place: number
  readonly at: number
  readonly took: number
  readonly status: number
  readonly outcome: string
  readonly reason: string | null
  readonly type: string | null
  readonly id: string | null
}

function select(schema: string, behind: '<' | '>', order: 'desc' | 'asc'): string {
  return `
    select place::float8, at, took, status, outcome, reason, type, id from ${schema}.receipts
    where $1::bigint is null or place ${behind} $1
    order by receipts.place ${order} limit $2::int
    `
}

function receiptOf({ at, took, status, outcome, reason, type, id }: ReceiptRow): Receipt {
  return {
    at,
    tookMs: took,
    status,
    outcome,
    ...(reason !== null && { reason }),
    ...(type !== null && { type }),
    ...(id !== null && { id }),
  }
}
