import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Person } from '../model/person.ts'

/** What identifies a person besides the user id. Stored, encrypted, until the erasure of the person has ended. */
export interface ErasureNote {
  /** The person's login ids, as they were written. */
  readonly logins: readonly string[]
  /** Texts that no file of the inbox may contain after the erasure. */
  readonly texts: readonly string[]
}

const emptyNote: ErasureNote = { logins: [], texts: [] }
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16

/**
 * Encrypts a note with AES-256-GCM. The key is derived from the user id, which the inbox does not store. A hash would not be enough: the texts
 * themselves are needed to look for them, and hashed addresses can be guessed. Layout: salt, nonce, tag, ciphertext.
 */
export function sealErasureNote(note: ErasureNote, person: Person): Uint8Array {
  const salt = randomBytes(saltBytes)
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyOf(person, salt), nonce, { authTagLength: tagBytes })
  const sealed = Buffer.concat([cipher.update(JSON.stringify(note)), cipher.final()])
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), sealed])
}

/** Decrypts a note. Returns an empty one when there is none or it was sealed for another person. */
export function openErasureNote(sealed: Uint8Array | undefined, person: Person): ErasureNote {
  if (sealed === undefined) return emptyNote
  const nonceAt = saltBytes + nonceBytes
  const salt = sealed.subarray(0, saltBytes)
  const nonce = sealed.subarray(saltBytes, nonceAt)
  try {
    const cipher = createDecipheriv('aes-256-gcm', keyOf(person, salt), nonce, { authTagLength: tagBytes })
    cipher.setAuthTag(sealed.subarray(nonceAt, nonceAt + tagBytes))
    const text = Buffer.concat([
      cipher.update(sealed.subarray(nonceAt + tagBytes)),
      cipher.final(),
    ]).toString()
    return JSON.parse(text) // Written by sealErasureNote: the tag proves it.
  } catch {
    return emptyNote
  }
}

function keyOf({ userId, tenantId }: Person, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', `${userId}/${tenantId ?? '*'}`, salt, 'fusewire erasure note', 32))
}
