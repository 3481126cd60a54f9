/** What a request was answered, and why: of those that left no event in the inbox, or one that was refused. */
export interface Receipt {
  /** When it arrived, epoch ms. */
  readonly at: number
  /** From its headers to the decision. */
  readonly tookMs: number
  /** The HTTP status of the answer. */
  readonly status: number
  /** `denied`, `failed` and `timeout` are a gate's; `refused` is what is no event at all. */
  readonly outcome: string
  /** In our words, never the sender's. */
  readonly reason?: string
  /** The event's type, once that was known. */
  readonly type?: string
  /** The event's id, once that was known. */
  readonly id?: string
}

/** How many an inbox remembers. */
export const receiptLimit = 10_000

/** The columns of a receipt, which SQLite and PostgreSQL name alike. */
export interface ReceiptRow {
  readonly at: number
  readonly took: number
  readonly status: number
  readonly outcome: string
  readonly reason: string | null
  readonly type: string | null
  readonly id: string | null
}

export function receiptOf({ at, took, status, outcome, reason, type, id }: ReceiptRow): Receipt {
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
