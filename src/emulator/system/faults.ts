/** A fault to inject between FusionAuth and one receiver. */
export type Fault = (
  | { readonly kind: 'drop' | 'timeout' | 'duplicate' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The receiver gets the event, FusionAuth gets this status. Default: 503. */
  | { readonly kind: 'status'; readonly status?: number }
) & {
  /** For how many posts. Default: until cleared. */
  readonly times?: number
}

export const faultKinds: readonly Fault['kind'][] = ['drop', 'timeout', 'duplicate', 'delay', 'status']

/** The active faults, by webhook id. */
export class Faults {
  readonly #faults = new Map<string, { readonly fault: Fault; left: number }>()

  set(webhookId: string, fault: Fault): void {
    this.#faults.set(webhookId, { fault, left: fault.times ?? Infinity })
  }

  clear(webhookId?: string): void {
    if (webhookId === undefined) this.#faults.clear()
    else this.#faults.delete(webhookId)
  }

  /** The fault of the next post to this webhook. */
  next(webhookId: string): Fault | undefined {
    const entry = this.#faults.get(webhookId)
    if (entry === undefined) return undefined
    entry.left -= 1
    if (entry.left <= 0) this.#faults.delete(webhookId)
    return entry.fault
  }
}
