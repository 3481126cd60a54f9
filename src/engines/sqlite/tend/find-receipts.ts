import { pageOf } from '../../../model/page-of.ts'
import { type Receipt, receiptOf, type ReceiptRow } from '../../../model/receipt.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { query, type SqliteSql } from '../sql.ts'

interface Row extends ReceiptRow {
  readonly n: number
}

/** Index: primary key (n). */
export function prepareFindReceipts(db: SqliteSql): (paging: Paging) => Page<Receipt> {
  const columns = 'n, at, took, status, outcome, reason, type, id'
  const older = query<Row>(db, `select ${columns} from fw_receipts where n < ? order by n desc limit ?`)
  const newer = query<Row>(db, `select ${columns} from fw_receipts where n > ? order by n limit ?`)
  return ({ limit, after, order = 'newest' }) => {
    const rows =
      order === 'newest'
        ? older.all(Number(after ?? Number.MAX_SAFE_INTEGER), limit + 1)
        : newer.all(Number(after ?? -1), limit + 1)
    const { items, ...page } = pageOf(rows, limit, ({ n }) => n)
    return { ...page, items: items.map(receiptOf) }
  }
}
