import { createHash, randomBytes } from 'node:crypto'
import { text, type Fields } from '../../fields.ts'
import type { Password } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import type { Problems } from '../api-response.ts'

/** Checks a password by FusionAuth's default rules. */
export function checkPassword(password: unknown, field: string, problems: Problems): void {
  if (typeof password !== 'string') problems.blank(field)
  else if (password.length < 8) problems.add(field, 'tooShort', `The [${field}] property is too short.`)
  else if (password.length > 256) problems.add(field, 'tooLong', `The [${field}] property is too long.`)
}

/** Stores the hash. It is fast instead of strong, because the emulator stores nothing beyond its process. */
export function putPassword({ rows, now }: Transaction, userId: string, password: string): void {
  const salt = randomBytes(16).toString('base64')
  rows.passwords.put({ id: userId, salt, hash: hash(password, salt), lastUpdateInstant: now })
}

export function passwordMatches(password: unknown, kept: Password | undefined): boolean {
  return typeof password === 'string' && kept !== undefined && hash(password, kept.salt) === kept.hash
}

function hash(password: string, salt: string): string {
  return createHash('sha256').update(salt).update(password).digest('base64')
}

/** The plain password of a request; undefined for a hash, which comes with an `encryptionScheme`. The emulator cannot check hashes. */
export function plainPassword(input: Fields): string | undefined {
  return input['encryptionScheme'] === undefined ? text(input['password']) : undefined
}
