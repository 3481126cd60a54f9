import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The UTF-8 bytes of a text as one Latin-1 character each, which is how node gives header values. */
export function byteString(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/**
 * A hash to compare secrets by in constant time. It is keyed with random bytes of this process, so that a sender cannot choose hashes. One
 * call of `hash` on one string: HMAC objects took three times as long and cost garbage collection.
 *
 * @param secret A byte string.
 */
export function fingerprint(secret: string): Buffer {
  processKey ??= randomBytes(32).toString('hex')
  return Buffer.from(hash('sha256', processKey + secret, 'hex'))
}

/** Whether the presented value is one of the candidates. Always compares all, so that the time does not depend on which one matches. */
export function matchesAny(presented: string, candidates: readonly Buffer[]): boolean {
  const print = fingerprint(presented)
  let matches = false
  for (const candidate of candidates) {
    if (timingSafeEqual(print, candidate)) matches = true
  }
  return matches
}

/** Created at first use: Cloudflare Workers have no random bytes before their first request. */
let processKey: string | undefined
