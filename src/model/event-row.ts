import type { DeliveryState } from './delivery-state.ts'
import type { Source } from './arrival.ts'
import type { EventKey } from './event-key.ts'
import type { Aside, Gone, Kept, KeptDelivery } from './kept.ts'
import type { LeasedEvent } from './lease.ts'
import type { Failure } from './outcome.ts'

/** The columns of an event, which SQLite and PostgreSQL name alike. */
export interface EventRow {
  /** `createInstant`, epoch ms. */
  readonly created: number
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly source: Source
  /** Epoch ms. */
  readonly received: number
}

/** Of an event that is leased to a handler. */
export interface LeasedRow extends EventRow {
  readonly body: Uint8Array
  readonly trace: string | null
}

/** Of an event that a person looks at. */
export interface KeptRow extends EventRow {
  /** When it was committed, epoch ms. Null: an older version did not note it. */
  readonly kept: number | null
  /** Bytes of its body. */
  readonly size: number
  readonly gone: Gone | null
  readonly refused: string | null
}

/** Of an event that was set aside. Of a quarantined one only `kept` and `size` are known. */
export interface AsideRow extends Nullable<Omit<EventRow, 'id'>> {
  readonly kind: Aside
  readonly id: string
  readonly kept: number | null
  readonly size: number
}

export interface KeptDeliveryRow {
  readonly handler: string
  readonly attempts: number
  readonly reason: string | null
  /** A JSON array of `Failure`, written when an attempt is settled. */
  readonly failures: string | null
}

type Nullable<T> = { readonly [Name in keyof T]: T[Name] | null }

export function keyOf({ created, tenant, id }: Pick<EventRow, 'created' | 'tenant' | 'id'>): EventKey {
  return { createInstant: created, tenantId: tenant, id }
}

export function leasedEventOf(row: LeasedRow): LeasedEvent {
  return {
    key: keyOf(row),
    type: row.type,
    source: row.source,
    receivedAt: row.received,
    body: row.body,
    ...(row.trace !== null && { trace: row.trace }),
  }
}

/** @param body Undefined where it was not asked for, or is gone. */
export function keptOf(
  row: KeptRow,
  body: Uint8Array | undefined,
  deliveries: readonly KeptDelivery[],
): Kept {
  return {
    key: keyOf(row),
    type: row.type,
    source: row.source,
    receivedAt: row.received,
    ...(row.kept !== null && { keptAt: row.kept }),
    size: row.size,
    ...(body !== undefined && { body }),
    ...(row.gone !== null && { gone: row.gone }),
    ...(row.refused !== null && { refused: row.refused }),
    deliveries,
  }
}

/** @param body Undefined where it was not asked for. */
export function keptAsideOf(row: AsideRow, body: Uint8Array | undefined): Kept {
  return {
    key: { createInstant: row.created ?? 0, tenantId: row.tenant ?? '', id: row.id },
    type: row.type ?? '',
    source: row.source ?? 'door',
    receivedAt: row.received ?? row.kept ?? 0,
    ...(row.kept !== null && { keptAt: row.kept }),
    size: row.size,
    ...(body !== undefined && { body }),
    aside: row.kind,
    deliveries: [],
  }
}

export function keptDeliveryOf(row: KeptDeliveryRow, state: DeliveryState): KeptDelivery {
  const failures: readonly Failure[] = row.failures === null ? [] : JSON.parse(row.failures)
  return {
    handler: row.handler,
    state,
    attempts: row.attempts,
    ...(row.reason !== null && { reason: row.reason }),
    failures,
  }
}
