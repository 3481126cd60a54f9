import { createHmac, randomBytes } from 'node:crypto'
import { text } from '../../fields.ts'
import type { User } from '../../state/tables.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A new secret for an authenticator app, as bytes in base64 and as the base32 that the app shows. */
export function newSecret(): { readonly secret: string; readonly secretBase32Encoded: string } {
  const bytes = randomBytes(20)
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  const secretBase32Encoded = (bits.match(/.{5}/g) ?? [])
    .map((five) => alphabet[Number.parseInt(five, 2)])
    .join('')
  return { secret: bytes.toString('base64'), secretBase32Encoded }
}

/** RFC 6238 with SHA-1, six digits, thirty seconds. */
export function oneTimePassword(secret: string, now: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)))
  const hash = createHmac('sha1', Buffer.from(secret, 'base64')).update(counter).digest()
  const offset = (hash.at(-1) ?? 0) & 15
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** The method whose code this is: an authenticator's code of this or the last half minute, or a recovery code. */
export function checkCode(user: User, code: unknown, now: number): string | undefined {
  const given = text(code)
  if (given === undefined) return undefined
  if (user.twoFactor.recoveryCodes.includes(given)) return 'recoveryCode'
  const fitting = user.twoFactor.methods.find(({ method, secret }) =>
    // The emulator sends no messages, so it accepts any code of a message.
    secret === undefined ? method !== 'authenticator' : fitsSecret(given, secret, now),
  )
  return fitting?.method
}

export function fitsSecret(code: string, secret: string, now: number): boolean {
  return [0, 30_000].some((ago) => oneTimePassword(secret, now - ago) === code)
}
