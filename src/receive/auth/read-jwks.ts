import type { JsonWebKey } from 'node:crypto'
import { isObject } from '../../lib/json-object.ts'
import { parseJson } from '../../lib/parse-json.ts'
import { FusewireError } from '../../model/errors.ts'
import { jwkKey, type VerifyKey } from './verify-key.ts'

/** Parsing a key costs 20 µs. */
const keyLimit = 100

/** What is wrong with a JWKS. The message holds no text from it. */
export class JwksProblem extends Error {}

/** The trusted keys of a JWKS. */
export interface ReadKeys {
  readonly keys: ReadonlyMap<string, VerifyKey>
  /** By kid, why a key that was named cannot be used. */
  readonly unusable: ReadonlyMap<string, string>
  /** Kids that several usable keys share. */
  readonly twice: readonly string[]
  /** No key of the set can be used, and it has no keys of other kids; with those, the trusted key would count as withdrawn. */
  readonly nothingToUse: boolean
}

/** Reads the trusted keys of a JWKS. The others are not parsed: there may be many, for other uses. @throws JwksProblem */
export function readJwks(text: string, trusted: ReadonlySet<string> | 'any'): ReadKeys {
  const set = parseJson(text)
  if (!isObject(set) || !Array.isArray(set['keys'])) throw new JwksProblem('not a JWKS')
  const entries = set['keys'].filter(isNamedKey)
  const ours = entries.filter(({ kid }) => trusted === 'any' || trusted.has(kid))
  if (ours.length > keyLimit) throw new JwksProblem(`more than ${keyLimit} keys`)
  const keys = new Map<string, VerifyKey>()
  const unusable = new Map<string, string>()
  const twice = new Set<string>()
  for (const jwk of ours) {
    const key = readKey(jwk)
    if (typeof key === 'string') {
      if (trusted !== 'any') unusable.set(jwk.kid, key)
      continue
    }
    if (keys.has(jwk.kid)) twice.add(jwk.kid)
    keys.set(jwk.kid, key)
  }
  for (const kid of keys.keys()) unusable.delete(kid)
  for (const kid of twice) {
    keys.delete(kid)
    if (trusted !== 'any') unusable.set(kid, 'the JWKS has several keys under this kid.')
  }
  const nothingToUse = keys.size === 0 && ours.length === entries.length
  return { keys, unusable, twice: [...twice], nothingToUse }
}

function isNamedKey(entry: unknown): entry is JsonWebKey & { readonly kid: string } {
  return isObject(entry) && typeof entry['kid'] === 'string'
}

/** The key, or why it cannot be used. */
function readKey(jwk: JsonWebKey): VerifyKey | string {
  try {
    return jwkKey(jwk) // It checks every member it reads.
  } catch (error) {
    return error instanceof FusewireError ? error.message.replace(/^signature: /, '') : 'it is unreadable.'
  }
}
