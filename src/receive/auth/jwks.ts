import type { JsonWebKey } from 'node:crypto'
import { isObject } from '../../lib/json-object.ts'
import { parseJson } from '../../lib/parse-json.ts'
import { readText } from '../../lib/read-text.ts'
import { secureUrl, type UrlFault } from '../../lib/secure-url.ts'
import { asList, type OneOrMore } from '../../lib/one-or-more.ts'
import { FusewireError, wrongOption } from '../../model/errors.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import type { Log } from '../../model/log.ts'
import { jwkKey, type VerifyKey } from './verify-key.ts'

/**
 * Keys fetched from a JWKS: kept 5 minutes, then renewed in the background; used up to 24 hours when they cannot be renewed. Give the `kid`
 * of the key to trust, several while you rotate, or `anyKid: true`.
 */
export type JwksOptions = {
  /** https, or http to localhost, 127.0.0.1 or [::1]. FusionAuth serves `/.well-known/jwks.json`. */
  jwks: string | URL
  /** Lets the keys come over http from elsewhere: whoever is on the way can then sign. Default: false. */
  insecureHttp?: boolean
} & ({ kid: OneOrMore<string>; anyKid?: never } | { anyKid: true; kid?: never })

const refreshAfterMs = 5 * 60_000
const staleAfterMs = 24 * 60 * 60_000
/** Between fetches while there is no key to use: the first pause, which doubles, and the longest. */
const retryMs = { first: 1_000, most: 10_000 } as const
/** How often the same problem is logged. */
const tellEveryMs = 60_000
const waitMs = 500
const fetchTimeoutMs = 2000
/** Fetches that unknown kids may cause: three at once, then one per ten seconds. */
const burst = 3
const refillMs = 10_000
/** FusionAuth writes 1.6 KB for an RSA key of 2,048 bits with its certificate: room for 600 of them. */
const sizeLimit = 1024 * 1024
/** Keys that are read, which costs 20 µs each. Keys under other kids than those trusted are not. */
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
  /** Trusted kids whose key the last answer had in a form that cannot be used, with the reason. */
  #unusable: ReadonlyMap<string, string> = new Map()
  /** What was logged about them last: each change is logged once. */
  #unusableTold = ''
  #fetchedAt = -Infinity
  #lastFetch: 'fetched' | 'failed' | undefined
  #problem = { text: '', toldAt: -Infinity }
  /** How many want the keys to be fetched without a request. */
  #keepers = 0
  #cancelFetch = (): void => {}
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

  /** Until it is disposed, fetches the keys now, every 5 minutes, and more often while none can be used. No timer keeps the process alive. */
  keepFresh(): Disposable {
    this.#keepers += 1
    if (this.#keepers === 1) void this.#fetchAgain(retryMs.first)
    let isDisposed = false
    return {
      [Symbol.dispose]: () => {
        if (isDisposed) return
        isDisposed = true
        this.#keepers -= 1
        if (this.#keepers === 0) this.#cancelFetch()
      },
    }
  }

  /** Why no token would be accepted now. Without `keepFresh`, undefined until a fetch has failed. */
  notReady(): string | undefined {
    if (this.#lastFetch === undefined)
      return this.#keepers > 0 ? 'the signing keys are not fetched yet' : undefined
    const isStale = this.#clock.now() - this.#fetchedAt >= staleAfterMs
    if (isStale) return this.#lastFetch === 'failed' ? 'the signing keys cannot be fetched' : undefined
    return this.#keys.size === 0 ? 'no signing key that is trusted can be used' : undefined
  }

  /** Never rejects. */
  async #fetchAgain(pauseMs: number): Promise<void> {
    await this.#share()
    if (this.#keepers === 0) return
    const isReady = this.notReady() === undefined
    const again = () => void this.#fetchAgain(isReady ? retryMs.first : Math.min(retryMs.most, pauseMs * 2))
    this.#cancelFetch = this.#clock.after(isReady ? refreshAfterMs : pauseMs, again, false)
  }

  /** The key under this kid, or why there is none. */
  async find(kid: string | undefined): Promise<VerifyKey | NoKey> {
    if (kid === undefined || (this.#trusted !== 'any' && !this.#trusted.has(kid))) return unknownKid
    const age = this.#clock.now() - this.#fetchedAt
    const key = age < staleAfterMs ? this.#keys.get(kid) : undefined
    if (key !== undefined) {
      if (age >= refreshAfterMs) void this.#refresh()
      return key
    }
    const outcome = await this.#refreshInTime()
    const unusable = this.#unusable.get(kid)
    switch (outcome) {
      case 'fetched':
        return this.#keys.get(kid) ?? (unusable === undefined ? unknownKid : unusableKey(kid, unusable))
      case 'failed':
        return unusable === undefined ? keysUnavailable : unusableKey(kid, unusable)
      case 'held back':
        if (unusable !== undefined) return unusableKey(kid, unusable)
        return age < staleAfterMs ? unknownKid : keysUnavailable
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
    return this.#fetching ?? (this.#mayFetch() ? this.#share() : undefined)
  }

  /** Joins the fetch under way, or starts one. Never rejects. */
  #share(): Promise<'fetched' | 'failed'> {
    this.#fetching ??= this.#fetch().then((outcome) => {
      this.#fetching = undefined
      this.#lastFetch = outcome
      return outcome
    })
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
    let unusable: ReadonlyMap<string, string> = new Map()
    try {
      const read = readKeys(await download(this.#url), this.#trusted)
      unusable = read.unusable
      if (read.twice.length > 0)
        this.#log?.error(
          { kids: read.twice },
          'the JWKS has several keys under one kid; none of them is trusted',
        )
      if (read.nothingToUse) throw new Problem('no key in it can be used')
      this.#keys = read.keys
      this.#fetchedAt = this.#clock.now()
      // At the level of the problem, so that operators who saw it begin see it end.
      if (this.#problem.text !== '')
        this.#log?.error({ jwks: this.#url.host }, 'the signing keys are fetched again')
      this.#problem = { text: '', toldAt: -Infinity }
      return 'fetched'
    } catch (error) {
      const problem = error instanceof Problem ? error.message : 'no answer'
      this.#tellProblem(problem)
      return 'failed'
    } finally {
      this.#unusable = unusable
      this.#tellUnusable()
    }
  }

  #tellProblem(problem: string): void {
    const now = this.#clock.now()
    if (problem === this.#problem.text && now - this.#problem.toldAt < tellEveryMs) return
    this.#problem = { text: problem, toldAt: now }
    this.#log?.error({ jwks: this.#url.host, problem }, 'the signing keys could not be fetched')
  }

  #tellUnusable(): void {
    const told = JSON.stringify([...this.#unusable])
    if (told === this.#unusableTold) return
    this.#unusableTold = told
    for (const [kid, reason] of this.#unusable) {
      this.#log?.error({ jwks: this.#url.host, kid, reason }, 'a trusted key of the JWKS cannot be used')
    }
  }
}

/** Why there is no key. `retry`: there may be one in a moment. */
export interface NoKey {
  readonly reason: string
  readonly retry?: true
}

const unknownKid: NoKey = { reason: 'the kid of the token is none we trust' }
const keysUnavailable: NoKey = { reason: 'the keys cannot be fetched', retry: true }

function unusableKey(kid: string, reason: string): NoKey {
  return { reason: `the key ${kid} of the JWKS cannot be used: ${reason}` }
}

/** What is wrong with a fetched set, in words of ours. */
class Problem extends Error {}

async function download(url: URL): Promise<string> {
  const signal = AbortSignal.timeout(fetchTimeoutMs)
  const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } })
  try {
    if (response.status !== 200) throw new Problem(`status ${response.status} instead of 200`)
    const text = await readText(response.body, sizeLimit)
    if (text === undefined) throw new Problem(`more than ${sizeLimit} bytes`)
    return text
  } finally {
    await response.body?.cancel().catch(() => {})
  }
}

interface ReadKeys {
  readonly keys: ReadonlyMap<string, VerifyKey>
  /** By kid, why the key cannot be used. Only of kids that were named. */
  readonly unusable: ReadonlyMap<string, string>
  /** Kids that several usable keys share. */
  readonly twice: readonly string[]
  /** It has neither a key to use nor keys of other kids, which would say that the trusted ones were withdrawn. */
  readonly nothingToUse: boolean
}

/** Reads the trusted keys of a set. The others may be many, and for other uses: they are not looked at. */
function readKeys(text: string, trusted: ReadonlySet<string> | 'any'): ReadKeys {
  const set = parseJson(text)
  if (!isObject(set) || !Array.isArray(set['keys'])) throw new Problem('not a JWKS')
  const entries = set['keys'].filter(isNamedKey)
  const ours = entries.filter(({ kid }) => trusted === 'any' || trusted.has(kid))
  if (ours.length > keyLimit) throw new Problem(`more than ${keyLimit} keys`)
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

function checkedUrl({ jwks, insecureHttp = false }: JwksOptions): URL {
  const url = secureUrl(jwks, { insecureHttp })
  if (typeof url === 'string') throw wrongOption('jwks', `signature: ${urlFaults[url]}`)
  return url
}

const urlFaults: Readonly<Record<UrlFault, string>> = {
  malformed: 'jwks is not a URL.',
  credentials: 'jwks has a user name in it. The keys are public; leave it out.',
  insecure:
    'jwks must be https (http only to localhost, 127.0.0.1 or [::1]): over http, anybody on the network path could replace the keys and sign. insecureHttp: true accepts that.',
}

function checkedKids({ kid, anyKid }: JwksOptions): ReadonlySet<string> | 'any' {
  if (anyKid === true && kid === undefined) return 'any'
  const kids = kid === undefined ? [] : asList(kid)
  if (kids.length > 0 && kids.every((one) => typeof one === 'string' && one !== '')) return new Set(kids)
  throw wrongOption(
    'kid',
    'signature: name the kid of the webhook’s signing key (FusionAuth: Settings → Key Master). A JWKS also holds keys that sign user tokens. anyKid: true trusts all of them.',
  )
}
