/** What a request was answered, and why: of those that left no event in the inbox, or one that was refused. */
export interface Receipt {
  /** When it arrived, epoch ms. */
  readonly at: number
  /** From its headers to the decision. */
  readonly tookMs: number
  readonly status: number
  /** `denied`, `failed` and `timeout` are a gate's; `refused` is what is no event at all. */
  readonly outcome: string
  /** In our words, never the sender's. */
  readonly reason?: string
  /** The event, once that was known. */
  readonly type?: string
  readonly id?: string
}

/** How many an inbox remembers. */
export const receiptLimit = 10_000
