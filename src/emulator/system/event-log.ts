import { randomUUID } from 'node:crypto'
import type { EventType } from '../../events/types.ts'
import type { StampedEvent } from './fired-event.ts'

/** One post of an event to one webhook. */
export interface PostAttempt {
  readonly id: string
  readonly webhookId: string
  readonly url: string
  readonly startInstant: number
  readonly endInstant: number
  readonly statusCode?: number
  readonly exception?: string
}

/** One event in the webhook event log. */
export interface LogEntry {
  readonly id: string
  readonly sequence: number
  readonly eventType: EventType
  readonly linkedObjectId?: string | undefined
  readonly body: Buffer
  readonly insertInstant: number
  lastUpdateInstant: number
  result: 'Running' | 'Succeeded' | 'Failed'
  readonly attempts: PostAttempt[]
}

export interface LogRetention {
  readonly enabled: boolean
  readonly delete: { readonly enabled: boolean; readonly numberOfDaysToRetain: number }
}

/** Limits the memory that the log takes: FusionAuth has a database instead. */
const entryLimit = 10_000
const dayMs = 86_400_000

const keepEverything: LogRetention = { enabled: true, delete: { enabled: false, numberOfDaysToRetain: 30 } }

/** FusionAuth's webhook event log: newest entries last. */
export class EventLog {
  readonly #entries = new Map<string, LogEntry>()
  #sequence = 0

  /** Starts the entry of an event. It is stored unless the log is switched off. */
  begin(event: StampedEvent, now: number, retention: LogRetention = keepEverything): LogEntry {
    this.#sequence += 1
    const entry: LogEntry = {
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

  get(id: string): LogEntry | undefined {
    return this.#entries.get(id)
  }

  all(): LogEntry[] {
    return [...this.#entries.values()]
  }

  #prune(retention: LogRetention, now: number): void {
    const oldest = retention.delete.enabled ? now - retention.delete.numberOfDaysToRetain * dayMs : -Infinity
    for (const entry of this.#entries.values()) {
      if (entry.insertInstant >= oldest && this.#entries.size <= entryLimit) break
      this.#entries.delete(entry.id)
    }
  }
}

export function isAccepted(attempt: { readonly statusCode?: number }): boolean {
  return attempt.statusCode !== undefined && attempt.statusCode >= 200 && attempt.statusCode <= 299
}
