import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { asList, type OneOrMore } from '../../lib/one-or-more.ts'
import { FusewireError } from '../../model/errors.ts'

/** A secret, or a function that fetches it when the webhook starts (or at the first request, if nobody starts it). */
export type Secret = string | undefined | (() => string | undefined | Promise<string | undefined>)

/** The values of one option, read once. */
export interface SecretReader {
  /** Reads the functions among them. Rejects, and reads again next time, until at least one value is there. */
  read(): Promise<readonly string[]>
}

/**
 * Literal values are checked at once, so that a bad one stops the construction; functions when they are read. In a list an undefined
 * value is left out (the other key of a rotation that is not under way); alone it is an error.
 */
export function createSecretReader(given: OneOrMore<Secret>, option: string): SecretReader {
  const list = asList(given)
  const literals = list.filter((secret) => typeof secret !== 'function')
  for (const secret of literals) checkNotBlank(secret, option)
  if (literals.length === list.length) checkSome(literals, option)
  return {
    async read() {
      const values = await Promise.all(
        list.map(async (secret) => (typeof secret === 'function' ? secret() : secret)),
      )
      for (const value of values) checkNotBlank(value, option)
      return checkSome(values, option)
    },
  }
}

function checkNotBlank(value: unknown, option: string): void {
  if (value === undefined) return
  if (typeof value !== 'string' || value.trim() === '') {
    throw new FusewireError(
      'FW_KEY_MISSING',
      `${option} is blank or not a string. Give it a secret of at least 16 bytes.`,
    )
  }
}

function checkSome(values: readonly (string | undefined)[], option: string): readonly string[] {
  const given = values.filter((value) => value !== undefined)
  if (given.length > 0) return given
  throw new FusewireError(
    'FW_KEY_MISSING',
    `${option} is undefined. If it comes from the environment, set the variable; without a secret nobody could be let in.`,
  )
}

/** The UTF-8 bytes of a text, a character each, as header values come. */
export function byteString(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/**
 * Lets secrets be compared in a time that tells nothing of their content: as hashes under a key of this process, so that nobody outside can
 * choose what is compared. Hashed in one call, of one text: HMAC objects took three times as long, and the collector had to clear them up.
 *
 * @param secret A byte string.
 */
export function fingerprint(secret: string): Buffer {
  processKey ??= randomBytes(32).toString('hex')
  return Buffer.from(hash('sha256', processKey + secret, 'hex'))
}

/** Whether one of the candidates is the presented value. Looks at all of them. */
export function matchesAny(presented: string, candidates: readonly Buffer[]): boolean {
  const print = fingerprint(presented)
  let matches = false
  for (const candidate of candidates) {
    if (timingSafeEqual(print, candidate)) matches = true
  }
  return matches
}

/** Made at its first use: Workers have no random bytes before their first request. */
let processKey: string | undefined
