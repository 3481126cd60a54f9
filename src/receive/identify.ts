import { hash } from 'node:crypto'
import type { EventKey } from '../model/event.ts'
import type { ParsedEvent } from '../model/registration.ts'

/** What makes this event the same event as another copy of it. */
export function identify({ createInstant, tenantId, id }: ParsedEvent): EventKey {
  return {
    createInstant,
    tenantId: typeof tenantId === 'string' ? canonicalId(tenantId) : '',
    id: canonicalId(id),
  }
}

/** Ids are UUIDs; whatever else comes is hashed, so that columns and indexes only ever hold short printable text. */
export function canonicalId(id: string): string {
  if (uuid.test(id)) return id
  if (anyCaseUuid.test(id)) return id.toLowerCase()
  return hashed.test(id) || id === '' ? id : `sha256:${hash('sha256', id, 'hex')}`
}

/** By what an event is found that names a person by a login id alone. */
export function loginSubject(loginId: string): string {
  return canonicalId(`login ${loginId.trim().toLowerCase()}`)
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const anyCaseUuid = new RegExp(uuid, 'i')
const hashed = /^sha256:[0-9a-f]{64}$/
