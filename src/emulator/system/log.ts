import { randomUUID } from 'node:crypto'
import type { EventType } from '../../events/types.ts'
import type { Sealed } from './fired.ts'

/** One post of an event to one webhook. */
export interface Attempt {
  readonly id: string
  readonly webhookId: string
  readonly url: string
  readonly startInstant: number
  readonly endInstant: number
  readonly statusCode?: number
  readonly exception?: string
}

/** What the webhook event log keeps of one event. */
export interface Entry {
  readonly id: string
  readonly sequence: number
  readonly eventType: EventType
  readonly linkedObjectId?: string | undefined
  readonly body: Buffer
  readonly insertInstant: number
  lastUpdateInstant: number
  result: 'Running' | 'Succeeded' | 'Failed'
  readonly attempts: Attempt[]
}

export interface Retention {
  readonly enabled: boolean
  readonly delete: { readonly enabled: boolean; readonly numberOfDaysToRetain: number }
}

/** The memory's bound: FusionAuth has a database. */
const keepAtMost = 10_000
const dayMs = 86_400_000

const keepEverything: Retention = { enabled: true, delete: { enabled: false, numberOfDaysToRetain: 30 } }

/** FusionAuth's webhook event log: newest entries last. */
export class EventLog {
  readonly #entries = new Map<string, Entry>()
  #sequence = 0

  /** Starts the entry of an event. It is kept unless the log is switched off. */
  begin(event: Sealed, now: number, retention: Retention = keepEverything): Entry {
    this.#sequence += 1
    const entry: Entry = {
      id: randomUUID(),
      sequence: this.#sequence,
      eventType: event.type,
      linkedObjectId: event.linkedObjectId,
      body: event.body,
      insertInstant: now,
      lastUpdateInstant: now,
      result: 'Running',
      attempts: [],
    }
    if (retention.enabled) this.#entries.set(entry.id, entry)
    this.#prune(retention, now)
    return entry
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  all(): Entry[] {
    return [...this.#entries.values()]
  }

  #prune(retention: Retention, now: number): void {
    const oldest = retention.delete.enabled ? now - retention.delete.numberOfDaysToRetain * dayMs : -Infinity
    for (const entry of this.#entries.values()) {
      if (entry.insertInstant >= oldest && this.#entries.size <= keepAtMost) break
      this.#entries.delete(entry.id)
    }
  }
}

export function accepted(attempt: { readonly statusCode?: number }): boolean {
  return attempt.statusCode !== undefined && attempt.statusCode >= 200 && attempt.statusCode <= 299
}
