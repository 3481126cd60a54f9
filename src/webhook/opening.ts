import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import { codeOf } from '../lib/code-of.ts'
import { FusewireError } from '../model/errors.ts'
import type { Log } from '../model/log.ts'
import type { Opened } from './assemble.ts'

/** Between two attempts, while the cause is temporary. */
const retryMs = 500
/** Between two attempts that requests cause, when the cause is not: so many strangers cost no more than one. */
const requestRetryMs = 1_000
/** How often it is logged that the inbox is still away. */
const tellEveryMs = 60_000

export interface OpeningOptions {
  /** Reads secrets. Called again after it failed, never after it succeeded. */
  readonly assemble: () => Promise<Opened>
  /** Whether another attempt may succeed without anybody changing anything. */
  readonly isTemporary: (error: unknown) => boolean
  readonly clock: Clock
  readonly log: Log
}

/**
 * Opens a webhook: reads its secrets, then opens its inbox. While what fails is temporary, such as a database that is away, it is tried
 * again on a timer until it succeeds or is stopped. Attempts of several callers are one.
 */
export class Opening {
  readonly #options: OpeningOptions
  #opened: Opened | undefined
  #isOpen = false
  #attempt: Promise<Opened> | undefined
  #failure: { readonly error: unknown; readonly at: number } | undefined
  #failingSince: number | undefined
  #told = { cause: '', at: -Infinity }
  /** The attempts that a request began, while they go on. */
  #background: Promise<void> | undefined
  #stopped = false
  readonly #pauses = new Set<() => void>()

  constructor(options: OpeningOptions) {
    this.#options = options
  }

  /** What there is once the secrets are read: it authenticates requests. The inbox may still be closed. */
  get opened(): Opened | undefined {
    return this.#opened
  }

  /** Whether secrets are read and the inbox is open. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether anything was opened, or is being opened. */
  get hasBegun(): boolean {
    return this.#opened !== undefined || this.#attempt !== undefined
  }

  /** One attempt, or the one that is under way. Rejects with its cause. */
  once(): Promise<Opened> {
    this.#attempt ??= this.#try().finally(() => {
      this.#attempt = undefined
    })
    return this.#attempt
  }

  /** Tries until it is open. Rejects with the cause when that is not temporary or has lasted for `withinMs`; `FW_STOPPED` after `stop`. @param keepsProcess Whether the process stays alive for the next attempt. */
  async persist(withinMs: number, keepsProcess = true): Promise<Opened> {
    const { clock, isTemporary } = this.#options
    const endsAt = clock.now() + withinMs
    for (;;) {
      try {
        return await this.once()
      } catch (error) {
        if (this.#stopped) throw stopped()
        if (!isTemporary(error) || clock.now() >= endsAt) throw error
        this.#tell(error, 'the inbox cannot be opened; it is tried again until it can')
      }
      using pause = this.#pause(Math.min(retryMs, endsAt - clock.now()), keepsProcess)
      await pause.over
      if (this.#stopped) throw stopped()
    }
  }

  /**
   * For a request: begins to open, and waits for the first attempt, at most so long. Later requests wait no more. Undefined while secrets
   * are being read. Rejects when they cannot be.
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

  /** Tries no more. Resolves when the attempt under way has ended. */
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
      if (this.#told.cause !== '') {
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

  /** Whether it began: not while it goes on, nor a moment after what only a person can mend. */
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
          // A missing secret is reported with each request instead.
          if (this.#opened !== undefined && !this.#stopped) this.#tell(error, 'the inbox cannot be opened')
        },
      )
      .finally(() => {
        this.#background = undefined
      })
    return true
  }

  #tell(error: unknown, message: string): void {
    const { clock, log } = this.#options
    const cause = describeError(error)
    if (cause === this.#told.cause && clock.now() - this.#told.at < tellEveryMs) return
    this.#told = { cause, at: clock.now() }
    const code = codeOf(error)
    log.error({ error: cause, ...(code !== undefined && { code }) }, message)
  }

  async #attemptEnded(): Promise<void> {
    await this.#attempt?.catch(() => {})
  }

  /** A pause that ends early when this is stopped. Dispose of it when it is no longer awaited. */
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
