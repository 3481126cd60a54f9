import { hash } from 'node:crypto'

/**
 * An id as it is stored and compared: a UUID in lower case, any other text as `sha256:` and its hash in hex, so that columns and indexes hold
 * only short printable text.
 */
export function canonicalId(id: string): string {
  if (uuid.test(id)) return id
  if (anyCaseUuid.test(id)) return id.toLowerCase()
  return hashed.test(id) || id === '' ? id : `sha256:${hash('sha256', id, 'hex')}`
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const anyCaseUuid = new RegExp(uuid, 'i')
const hashed = /^sha256:[0-9a-f]{64}$/
