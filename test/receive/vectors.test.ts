import type { JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hmacKey, jwkKey, type VerifyKey } from '../../src/receive/auth/verify-key.ts'
import { openToken, verifyToken } from '../../src/receive/auth/verify-token.ts'

/**
 * Wycheproof's vectors for JWS and JWK (github.com/C2SP/wycheproof), read from the folder that FUSEWIRE_VECTORS names.
 * Only the signature is judged: their payloads are no webhook's.
 */
const folder = process.env['FUSEWIRE_VECTORS']
if (!folder) console.warn("Skipped: FUSEWIRE_VECTORS names no folder, Wycheproof's vectors are not run")

type Key = JsonWebKey & { readonly kid?: string; readonly alg?: string }

interface Group {
  readonly comment: string
  readonly public?: Key | { readonly keys: readonly Key[] }
  readonly private: Key | { readonly keys: readonly Key[] }
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly jws: unknown
    readonly result: 'valid' | 'invalid' | 'acceptable'
  }[]
}

function groups(file: string): readonly Group[] {
  if (!folder) return []
  return JSON.parse(readFileSync(join(folder, file), 'utf8')).testGroups
}

type Reason = string

/** Where we answer otherwise than the vectors: the reason, our answer, and the tcIds. */
const deviations: Readonly<
  Record<string, readonly (readonly [Reason, 'accepted' | 'refused', readonly number[]])[]>
> = {
  'wycheproof-json-web-signature.json': [
    ['a secret that is no text: those of FusionAuth are', 'refused', [1, 348, 352]],
    ['FusionAuth never signs with RSA-PSS', 'refused', [272, 273, 274, 275, 287, 288, 320, 321, 322, 323]],
    ['FusionAuth never signs with RSA-PSS', 'refused', [325, 326, 327, 328, 346, 350]],
    ['the alg of the key is "ES521", which does not exist', 'refused', [347, 351]],
    ['byte for byte the valid token of 357', 'accepted', [367, 370]],
    ['a ? in base64url is skipped by lenient readers only', 'refused', [372, 373]],
  ],
  'wycheproof-json-web-key.json': [
    ['a secret that is no text: those of FusionAuth are', 'refused', [2]],
    ['a key with the ROCA weakness is not looked for', 'accepted', [7]],
    ['a secret shorter than the hash is warned about', 'accepted', [10, 11, 12]],
  ],
}

/** The verifying half: an HMAC secret goes by its bytes, which JWK writes in base64url and FusionAuth as text. */
function keysOf({ public: open, private: hidden }: Group): readonly VerifyKey[] {
  const given = open ?? hidden
  const list = 'keys' in given && Array.isArray(given.keys) ? given.keys : [given as Key] // Not a set, so a key.
  return list.flatMap((key) => {
    try {
      return [key.kty === 'oct' ? octKey(key) : jwkKey(key)]
    } catch {
      return [] // A key we refuse to hold verifies nothing.
    }
  })
}

function octKey({ k = '' }: Key): VerifyKey {
  return hmacKey(Buffer.from(k, 'base64url').toString('latin1'))
}

function judge(jws: unknown, keys: readonly VerifyKey[]): 'accepted' | 'refused' {
  const token = typeof jws === 'string' ? openToken(jws) : 'the JSON form'
  if (typeof token === 'string') return 'refused'
  return verifyToken(token, keys) === undefined ? 'accepted' : 'refused'
}

describe.skipIf(!folder)('Wycheproof', () => {
  test.each(Object.entries(deviations))('%s', (file, named) => {
    const differing = groups(file).flatMap((group) => {
      const keys = keysOf(group)
      return group.tests.flatMap(({ tcId, jws, result }) => {
        const got = judge(jws, keys)
        return got === (result === 'valid' ? 'accepted' : 'refused') ? [] : [`${tcId} ${got}`]
      })
    })
    const expected = named.flatMap(([, answer, ids]) => ids.map((tcId) => `${tcId} ${answer}`))
    expect(differing.toSorted()).toEqual(expected.toSorted())
  })
})
