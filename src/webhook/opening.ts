import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import { codeOf } from '../lib/code-of.ts'
import { FusewireError } from '../model/errors.ts'
import type { Log } from '../model/log.ts'
import type { Opened } from './assemble.ts'

/** Pause between attempts after a temporary failure. */
const retryMs = 500
/** Pause between attempts that requests start after any other failure: many requests then cost no more attempts than one. */
const requestRetryMs = 1_000
/** The same failure is logged once in this time. */
const logEveryMs = 60_000

export interface OpeningOptions {
  /** Reads secrets. Called again after it failed, never after it succeeded. */
  readonly assemble: () => Promise<Opened>
  /** Whether another attempt may succeed although nothing is reconfigured. */
  readonly isTemporary: (error: unknown) => boolean
  readonly clock: Clock
  readonly log: Log
}

/**
 * Opens a webhook: reads its secrets, then opens its inbox. After a temporary failure, such as a database that does not answer, it tries
 * again on a timer until it succeeds or is stopped. Callers share an attempt.
 */
export class Opening {
  readonly #options: OpeningOptions
  #opened: Opened | undefined
  #isOpen = false
  #attempt: Promise<Opened> | undefined
  #failure: { readonly error: unknown; readonly at: number } | undefined
  #failingSince: number | undefined
  #logged = { cause: '', at: -Infinity }
  /** The attempts that a request started, while they go on. */
  #background: Promise<void> | undefined
  #stopped = false
  readonly #pauses = new Set<() => void>()

  constructor(options: OpeningOptions) {
    this.#options = options
  }

  /** Set once the secrets are read. It can authenticate requests; its inbox may still be closed. */
  get opened(): Opened | undefined {
    return this.#opened
  }

  /** Whether secrets are read and the inbox is open. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether an attempt has started: from then on no gate, handler or observer can be added. */
  get hasBegun(): boolean {
    return this.#opened !== undefined || this.#attempt !== undefined
  }

  /** Joins the attempt in progress, or makes one. Rejects with its cause. */
  once(): Promise<Opened> {
    this.#attempt ??= this.#try().finally(() => {
      this.#attempt = undefined
    })
    return this.#attempt
  }

  /**
   * Tries until it is open.
   *
   * @param keepsProcess Whether the process stays alive for the next attempt.
   * @throws The cause, when it is not temporary or has lasted for `withinMs`; FW_STOPPED after `stop`.
   */
  async persist(withinMs: number, keepsProcess = true): Promise<Opened> {
    const { clock, isTemporary } = this.#options
    const endsAt = clock.now() + withinMs
    for (;;) {
      try {
        return await this.once()
      } catch (error) {
        if (this.#stopped) throw stopped()
        if (!isTemporary(error) || clock.now() >= endsAt) throw error
        this.#logFailure(error, 'the inbox cannot be opened; it is tried again until it can')
      }
      using pause = this.#pause(Math.min(retryMs, endsAt - clock.now()), keepsProcess)
      await pause.over
      if (this.#stopped) throw stopped()
    }
  }

  /**
   * For a request: starts to open. The first request waits for the first attempt, at most `withinMs`; later ones do not wait. Undefined
   * while secrets are being read; rejects when they cannot be read.
   */
  async forRequest(withinMs: number): Promise<Opened | undefined> {
    if (this.#isOpen) return this.#opened
    if (this.#openBehindRequests() || this.#failure === undefined) {
      using timeout = this.#pause(withinMs)
      await Promise.race([this.#attemptEnded(), timeout.over])
    }
    if (this.#opened === undefined && this.#failure !== undefined) throw this.#failure.error
    return this.#opened
  }

  /** Ends trying. Resolves when the attempt in progress has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const end of this.#pauses) end()
    await this.#attemptEnded()
  }

  async #try(): Promise<Opened> {
    const { assemble, clock, log } = this.#options
    try {
      if (this.#isOpen && this.#opened !== undefined) return this.#opened
      this.#opened ??= await assemble()
      await this.#opened.openInbox()
      this.#isOpen = true
      if (this.#logged.cause !== '') {
        const downMs = Math.round(clock.now() - (this.#failingSince ?? clock.now()))
        log.error({ downMs }, 'the inbox is open: events are kept')
      }
      return this.#opened
    } catch (error) {
      this.#failingSince ??= clock.now()
      this.#failure = { error, at: clock.now() }
      throw error
    }
  }

  /** Whether attempts were started: not while others go on, nor within `requestRetryMs` after a failure that is not temporary. */
  #openBehindRequests(): boolean {
    const { clock, isTemporary } = this.#options
    if (this.#background !== undefined || this.#stopped) return false
    const failure = this.#failure
    const isFresh = failure !== undefined && clock.now() - failure.at < requestRetryMs
    if (isFresh && !isTemporary(failure.error)) return false
    this.#background = this.persist(Infinity, false)
      .then(
        () => {},
        (error: unknown) => {
          // A missing secret is logged with each request instead.
          if (this.#opened !== undefined && !this.#stopped)
            this.#logFailure(error, 'the inbox cannot be opened')
        },
      )
      .finally(() => {
        this.#background = undefined
      })
    return true
  }

  #logFailure(error: unknown, message: string): void {
    const { clock, log } = this.#options
    const cause = describeError(error)
    if (cause === this.#logged.cause && clock.now() - this.#logged.at < logEveryMs) return
    this.#logged = { cause, at: clock.now() }
    const code = codeOf(error)
    log.error({ error: cause, ...(code !== undefined && { code }) }, message)
  }

  async #attemptEnded(): Promise<void> {
    await this.#attempt?.catch(() => {})
  }

  /** A pause that `stop` ends early. Dispose of it when it is no longer awaited. */
  #pause(ms: number, keepsProcess = true): Disposable & { readonly over: Promise<void> } {
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.after(this.#stopped ? 0 : Math.max(0, ms), end, keepsProcess)
    this.#pauses.add(end)
    const dispose = () => {
      cancel()
      this.#pauses.delete(end)
    }
    return { over, [Symbol.dispose]: dispose }
  }
}

export function stopped(): FusewireError {
  return new FusewireError('FW_STOPPED', 'The webhook is stopped.')
}
