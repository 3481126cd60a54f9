import { createHash } from 'node:crypto'
import type { EventType } from '../types.ts'
import { info, tenantId } from './objects.ts'

interface InstanceHeader<T> {
  readonly type: T
  readonly id: string
  readonly createInstant: number
}

interface TenantHeader<T> extends InstanceHeader<T> {
  readonly tenantId: string
  readonly info: typeof info
}

interface ObjectHeader<T> extends TenantHeader<T> {
  readonly linkedObjectId: string
}

/** What an event of the whole instance begins with. */
export function instanceHeader<T extends EventType>(type: T): InstanceHeader<T> {
  return { type, id: idOf(type), createInstant: Date.UTC(2026, 0, 5, 9, 30, 1) }
}

/** What an event of a tenant begins with. */
export function tenantHeader<T extends EventType>(type: T): TenantHeader<T> {
  return { ...instanceHeader(type), tenantId, info }
}

/** What an event about one object begins with: a user, a group, an entity. */
export function objectHeader<T extends EventType>(type: T, object: { readonly id: string }): ObjectHeader<T> {
  return { ...tenantHeader(type), linkedObjectId: object.id }
}

/** A UUID that belongs to the type, so that samples of two types are never taken for one event. */
function idOf(type: EventType): string {
  const hex = createHash('sha256').update(type).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 30)}`
}
