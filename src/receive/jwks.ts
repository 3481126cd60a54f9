import type { JsonWebKey } from 'node:crypto'
import { isObject, parseJson } from '../lib/json.ts'
import { asList, type OneOrMore } from '../lib/one-or-more.ts'
import { FusewireError } from '../model/errors.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Log } from '../model/log.ts'
import { jwkKey, type VerifyKey } from './keys.ts'

export type JwksOptions = {
  /** https, or http to localhost, 127.0.0.1 or [::1]. FusionAuth serves `/.well-known/jwks.json`. */
  jwks: string | URL
  /** Lets the keys come over http from elsewhere: whoever is on the way can then sign. Default: false. */
  insecureHttp?: boolean
} & ({ kid: OneOrMore<string>; anyKid?: never } | { anyKid: true; kid?: never })

const refreshAfterMs = 5 * 60_000
const staleAfterMs = 24 * 60 * 60_000
const waitMs = 500
const fetchTimeoutMs = 2000
/** Fetches that unknown kids may cause: three at once, then one per ten seconds. */
const burst = 3
const refillMs = 10_000
const sizeLimit = 256 * 1024
const keyLimit = 100

/**
 * Keys fetched from a JWKS: kept 5 minutes, then renewed behind the next request; used up to 24 hours when they cannot be renewed.
 * An unknown kid fetches at once, but never more often than the burst allows.
 */
export class Jwks {
  readonly #url: URL
  readonly #trusted: ReadonlySet<string> | 'any'
  #log: Log | undefined
  #keys: ReadonlyMap<string, VerifyKey> = new Map()
  #fetchedAt = -Infinity
  #fetching: Promise<'fetched' | 'failed'> | undefined
  #clock: Clock = systemClock
  /** When fetches that go steadily at one per refill would be due again; the burst lets them run ahead of it. */
  #dueAt = -Infinity

  constructor(options: JwksOptions) {
    this.#url = checkedUrl(options)
    this.#trusted = checkedKids(options)
  }

  /** From now on, what is wrong with the keys is told to this log, and time comes from this clock. */
  attend(log: Log, clock: Clock): void {
    this.#log = log
    this.#clock = clock
  }

  /** The key under this kid. `unknown` is certain as of the last fetch; `unavailable` says ask again. */
  async find(kid: string | undefined): Promise<VerifyKey | 'unknown' | 'unavailable'> {
    if (kid === undefined || (this.#trusted !== 'any' && !this.#trusted.has(kid))) return 'unknown'
    const age = this.#clock.now() - this.#fetchedAt
    const key = age < staleAfterMs ? this.#keys.get(kid) : undefined
    if (key !== undefined) {
      if (age >= refreshAfterMs) void this.#refresh()
      return key
    }
    switch (await this.#refreshInTime()) {
      case 'fetched':
        return this.#keys.get(kid) ?? 'unknown'
      case 'failed':
        return 'unavailable'
      case 'held back':
        return age < staleAfterMs ? 'unknown' : 'unavailable'
    }
  }

  async #refreshInTime(): Promise<'fetched' | 'failed' | 'held back'> {
    const fetching = this.#refresh()
    if (fetching === undefined) return 'held back'
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'failed'>((resolve) => {
      timer = setTimeout(resolve, waitMs, 'failed')
    })
    const outcome = await Promise.race([fetching, late])
    clearTimeout(timer)
    return outcome
  }

  /** Joins the fetch under way, or starts one if the burst allows it. Never rejects. */
  #refresh(): Promise<'fetched' | 'failed'> | undefined {
    if (this.#fetching === undefined && this.#mayFetch()) {
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined
      })
    }
    return this.#fetching
  }

  #mayFetch(): boolean {
    const now = this.#clock.now()
    const dueAt = Math.max(this.#dueAt, now)
    if (dueAt - now > (burst - 1) * refillMs) return false
    this.#dueAt = dueAt + refillMs
    return true
  }

  async #fetch(): Promise<'fetched' | 'failed'> {
    try {
      this.#keys = readKeys(await download(this.#url), this.#log)
      this.#fetchedAt = this.#clock.now()
      return 'fetched'
    } catch (error) {
      const problem = error instanceof Problem ? error.message : 'no answer'
      this.#log?.error({ jwks: this.#url.host, problem }, 'the signing keys could not be fetched')
      return 'failed'
    }
  }
}

/** What is wrong with a fetched set, in words of ours. */
class Problem extends Error {}

async function download(url: URL): Promise<string> {
  const signal = AbortSignal.timeout(fetchTimeoutMs)
  const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } })
  try {
    if (response.status !== 200) throw new Problem(`status ${response.status} instead of 200`)
    const chunks = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > sizeLimit) throw new Problem(`more than ${sizeLimit} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString()
  } finally {
    await response.body?.cancel().catch(() => {})
  }
}

function readKeys(text: string, log: Log | undefined): ReadonlyMap<string, VerifyKey> {
  const set = parseJson(text)
  if (!isObject(set) || !Array.isArray(set['keys'])) throw new Problem('not a JWKS')
  if (set['keys'].length > keyLimit) throw new Problem(`more than ${keyLimit} keys`)
  const keys = new Map<string, VerifyKey>()
  const twice = new Set<string>()
  for (const jwk of set['keys']) {
    const key = readKey(jwk)
    if (key?.kid === undefined) continue
    if (keys.has(key.kid)) twice.add(key.kid)
    keys.set(key.kid, key)
  }
  if (twice.size > 0)
    log?.error({ kids: [...twice] }, 'the JWKS has several keys under one kid; none of them is trusted')
  for (const kid of twice) keys.delete(kid)
  if (keys.size === 0) throw new Problem('no key in it can be used')
  return keys
}

/** A set may hold keys for other uses, which are no problem of ours. */
function readKey(jwk: unknown): VerifyKey | undefined {
  try {
    return isObject(jwk) ? jwkKey(jwk as JsonWebKey) : undefined // jwkKey checks every member it reads.
  } catch {
    return undefined
  }
}

function checkedUrl({ jwks, insecureHttp }: JwksOptions): URL {
  const url = URL.parse(String(jwks))
  if (url === null) throw new FusewireError('FW_OPTION', 'signature: jwks is not a URL.')
  if (url.username !== '' || url.password !== '') {
    throw new FusewireError(
      'FW_OPTION',
      'signature: jwks has a user name in it. The keys are public; leave it out.',
    )
  }
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && (loopback || insecureHttp === true)))
    return url
  throw new FusewireError(
    'FW_OPTION',
    'signature: jwks must be https (http only to localhost, 127.0.0.1 or [::1]), or whoever is on the way can sign. insecureHttp: true accepts that.',
  )
}

function checkedKids({ kid, anyKid }: JwksOptions): ReadonlySet<string> | 'any' {
  if (anyKid === true && kid === undefined) return 'any'
  const kids = kid === undefined ? [] : asList(kid)
  if (kids.length > 0 && kids.every((one) => typeof one === 'string' && one !== '')) return new Set(kids)
  throw new FusewireError(
    'FW_OPTION',
    'signature: name the kid of the webhook’s signing key (FusionAuth: Settings → Key Master). A JWKS also holds keys that sign user tokens. anyKid: true trusts all of them.',
  )
}
