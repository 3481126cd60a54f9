import { type Receipt, receiptLimit } from '../../../model/receipt.ts'
import type { SqliteSql } from '../sql.ts'

/** Writes receipts and deletes the oldest beyond `receiptLimit`, inside the caller's transaction. Index: primary key (n). */
export function prepareRecordReceipts(db: SqliteSql): (receipts: readonly Receipt[]) => void {
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
