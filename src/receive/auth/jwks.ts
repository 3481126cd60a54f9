import { atMost } from '../../lib/at-most.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import type { Log } from '../../model/log.ts'
import { downloadJwks } from './download-jwks.ts'
import { type JwksOptions, jwksUrl, trustedKids } from './jwks-options.ts'
import { JwksProblem, readJwks } from './read-jwks.ts'
import type { VerifyKey } from './verify-key.ts'

/** Keys older than this are fetched again in the background. */
const refreshAfterMs = 5 * 60_000
/** Keys older than this are not used. */
const staleAfterMs = 24 * 60 * 60_000
/** Pauses between fetches while no key can be used: the first, then doubled up to the longest. */
const retryMs = { first: 1_000, most: 10_000 } as const
/** How often the same problem is logged. */
const logEveryMs = 60_000
/** How long a request waits for a fetch. */
const waitMs = 500
/** Requests with an unknown kid may cause three fetches at once, then one every 10 s. */
const burst = 3
const refillMs = 10_000

/**
 * The trusted keys of a JWKS. They are fetched again after 5 minutes, in the background, and used for up to 24 hours if that fails. A
 * request with a kid that is not known waits for a fetch, unless the rate limit forbids one.
 */
export class Jwks {
  readonly #url: URL
  readonly #trusted: ReadonlySet<string> | 'any'
  #log: Log | undefined
  #keys: ReadonlyMap<string, VerifyKey> = new Map()
  /** Trusted kids whose key in the last JWKS cannot be used, with the reason. */
  #unusable: ReadonlyMap<string, string> = new Map()
  /** `#unusable` as it was last logged: each change is logged once. */
  #unusableLogged = ''
  #fetchedAt = -Infinity
  #lastFetch: 'fetched' | 'failed' | undefined
  #problem = { text: '', loggedAt: -Infinity }
  /** How many callers of `keepFresh` have not disposed. */
  #keepers = 0
  #cancelFetch = (): void => {}
  #fetching: Promise<'fetched' | 'failed'> | undefined
  #clock: Clock = systemClock
  /** The rate limit: when the next fetch would be due at one per `refillMs`. Fetches may run ahead of it by `burst`. */
  #dueAt = -Infinity

  constructor(options: JwksOptions) {
    this.#url = jwksUrl(options)
    this.#trusted = trustedKids(options)
  }

  /** Sets the log for problems with the keys, and the clock. */
  attend(log: Log, clock: Clock): void {
    this.#log = log
    this.#clock = clock
  }

  /** Fetches the keys now, every 5 minutes, and more often while none can be used, until it is disposed. Its timers do not keep the process alive. */
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
    return (await atMost(this.#clock, waitMs, fetching)) ?? 'failed'
  }

  /** Joins the fetch in progress, or starts one if the rate limit allows it. Never rejects. */
  #refresh(): Promise<'fetched' | 'failed'> | undefined {
    return this.#fetching ?? (this.#mayFetch() ? this.#share() : undefined)
  }

  /** Joins the fetch in progress, or starts one. Never rejects. */
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
      const read = readJwks(await downloadJwks(this.#url, this.#clock), this.#trusted)
      unusable = read.unusable
      if (read.twice.length > 0)
        this.#log?.error(
          { kids: read.twice },
          'the JWKS has several keys under one kid; none of them is trusted',
        )
      if (read.nothingToUse) throw new JwksProblem('no key in it can be used')
      this.#keys = read.keys
      this.#fetchedAt = this.#clock.now()
      // Logged at the level of the problem, so that a log that shows its beginning also shows its end.
      if (this.#problem.text !== '')
        this.#log?.error({ jwks: this.#url.host }, 'the signing keys are fetched again')
      this.#problem = { text: '', loggedAt: -Infinity }
      return 'fetched'
    } catch (error) {
      const problem = error instanceof JwksProblem ? error.message : 'no answer'
      this.#logProblem(problem)
      return 'failed'
    } finally {
      this.#unusable = unusable
      this.#logUnusable()
    }
  }

  #logProblem(problem: string): void {
    const now = this.#clock.now()
    if (problem === this.#problem.text && now - this.#problem.loggedAt < logEveryMs) return
    this.#problem = { text: problem, loggedAt: now }
    this.#log?.error({ jwks: this.#url.host, problem }, 'the signing keys could not be fetched')
  }

  #logUnusable(): void {
    const unusable = JSON.stringify([...this.#unusable])
    if (unusable === this.#unusableLogged) return
    this.#unusableLogged = unusable
    for (const [kid, reason] of this.#unusable) {
      this.#log?.error({ jwks: this.#url.host, kid, reason }, 'a trusted key of the JWKS cannot be used')
    }
  }
}

/** Why there is no key. `retry`: the same request may succeed later. */
export interface NoKey {
  readonly reason: string
  readonly retry?: true
}

const unknownKid: NoKey = { reason: 'the kid of the token is not trusted' }
const keysUnavailable: NoKey = { reason: 'the keys cannot be fetched', retry: true }

function unusableKey(kid: string, reason: string): NoKey {
  return { reason: `the key ${kid} of the JWKS cannot be used: ${reason}` }
}
