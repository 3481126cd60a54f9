/** How one step ended. */
export interface Finding {
  readonly verdict: 'holds' | 'fails' | 'not checked'
  /** What was found. */
  readonly says: string
  /** The likely cause, and what to do. */
  readonly hint?: string
}
