import { createHash, randomBytes } from 'node:crypto'
import { text, type Fields } from '../../json.ts'
import type { Password } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import type { Problems } from '../answer.ts'

/** Adds what FusionAuth's default rules have against a password. */
export function checkPassword(password: unknown, field: string, problems: Problems): void {
  if (typeof password !== 'string') problems.blank(field)
  else if (password.length < 8) problems.add(field, 'tooShort', `The [${field}] property is too short.`)
  else if (password.length > 256) problems.add(field, 'tooLong', `The [${field}] property is too long.`)
}

/** Keeps the hash. It is fast, not strong: nothing an emulator keeps outlives its process. */
export function putPassword({ rows, now }: Draft, userId: string, password: string): void {
  const salt = randomBytes(16).toString('base64')
  rows.passwords.put({ id: userId, salt, hash: hash(password, salt), lastUpdateInstant: now })
}

export function fits(password: unknown, kept: Password | undefined): boolean {
  return typeof password === 'string' && kept !== undefined && hash(password, kept.salt) === kept.hash
}

function hash(password: string, salt: string): string {
  return createHash('sha256').update(salt).update(password).digest('base64')
}

/** The plain password of a request. One that was hashed elsewhere comes with its scheme; nobody can sign in with it here. */
export function plainPassword(input: Fields): string | undefined {
  return input['encryptionScheme'] === undefined ? text(input['password']) : undefined
}
