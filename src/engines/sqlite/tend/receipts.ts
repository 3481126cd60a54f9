import { pageOf } from '../../../model/page-of.ts'
import { type Receipt, receiptLimit, receiptOf, type ReceiptRow } from '../../../model/receipt.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { query, type SqliteSql } from '../sql.ts'

/** Inside the caller's transaction. Index: primary key (n). */
export function recording(db: SqliteSql): (receipts: readonly Receipt[]) => void {
  const insert = db.prepare(`
    insert into fw_receipts (at, took, status, outcome, reason, type, id) values (?, ?, ?, ?, ?, ?, ?)
  `)
  const trim = db.prepare('delete from fw_receipts where n <= ?')
  return (receipts) => {
    let last = 0
    for (const { at, tookMs, status, outcome, reason, type, id } of receipts) {
      const { lastInsertRowid } = insert.run(
        Math.round(at),
        Math.round(tookMs),
        status,
        outcome,
        reason ?? null,
        type ?? null,
        id ?? null,
      )
      last = Number(lastInsertRowid)
    }
    trim.run(last - receiptLimit)
  }
}

interface Row extends ReceiptRow {
  readonly n: number
}

/** Index: primary key (n). */
export function findingReceipts(db: SqliteSql): (paging: Paging) => Page<Receipt> {
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
