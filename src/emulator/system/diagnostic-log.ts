/** An entry of FusionAuth's own event log (not of the webhook event log). */
export interface Diagnostic {
  readonly id: number
  readonly insertInstant: number
  readonly message: string
  readonly type: 'Information' | 'Debug' | 'Error'
}

const entryLimit = 1_000

/** FusionAuth's event log about itself. The emulator writes failed posts into it. */
export class DiagnosticLog {
  #entries: Diagnostic[] = []
  #last = 0

  write(type: Diagnostic['type'], message: string, now: number): Diagnostic {
    this.#last += 1
    const entry = { id: this.#last, insertInstant: now, message, type }
    this.#entries.push(entry)
    if (this.#entries.length > 2 * entryLimit) this.#entries = this.#entries.slice(-entryLimit)
    return entry
  }

  get(id: number): Diagnostic | undefined {
    return this.#entries.find((entry) => entry.id === id)
  }

  all(): readonly Diagnostic[] {
    return this.#entries
  }
}
