import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Person } from '../model/person.ts'

/** What identifies a person beside the user id. */
export interface Identifiers {
  /** What the person signs in with, as it was written. */
  readonly logins: readonly string[]
  /** What must be in no file of the inbox afterwards. */
  readonly texts: readonly string[]
}

const nothing: Identifiers = { logins: [], texts: [] }
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16

/**
 * The identifiers as an inbox may keep them until the erasure has ended: AES-256-GCM, under a key that is derived from the user id, which the
 * inbox does not hold. A hash would not do: the texts must be looked for, and addresses can be guessed. Salt, nonce, tag, ciphertext.
 */
export function sealIdentifiers(identifiers: Identifiers, person: Person): Uint8Array {
  const salt = randomBytes(saltBytes)
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyOf(person, salt), nonce, { authTagLength: tagBytes })
  const sealed = Buffer.concat([cipher.update(JSON.stringify(identifiers)), cipher.final()])
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), sealed])
}

/** What a note says; nothing, if there is none or it was not made for this person. */
export function unsealIdentifiers(note: Uint8Array | undefined, person: Person): Identifiers {
  if (note === undefined) return nothing
  const nonceAt = saltBytes + nonceBytes
  const salt = note.subarray(0, saltBytes)
  const nonce = note.subarray(saltBytes, nonceAt)
  try {
    const cipher = createDecipheriv('aes-256-gcm', keyOf(person, salt), nonce, { authTagLength: tagBytes })
    cipher.setAuthTag(note.subarray(nonceAt, nonceAt + tagBytes))
    const text = Buffer.concat([cipher.update(note.subarray(nonceAt + tagBytes)), cipher.final()]).toString()
    return JSON.parse(text) // Written by sealIdentifiers: the tag proves it.
  } catch {
    return nothing
  }
}

function keyOf({ userId, tenantId }: Person, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', `${userId}/${tenantId ?? '*'}`, salt, 'fusewire erasure note', 32))
}
