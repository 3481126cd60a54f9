import type { TransactionalType } from './events/types.ts'
import type {
  ContextOf,
  EventsOf,
  GateContext,
  GateOptions,
  HandlerContext,
  MayOmitOptions,
  OnOptions,
  ResultOf,
  Types,
} from './handlers.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { describeError } from './lib/describe-error.ts'
import { asList, type OneOrMore } from './lib/one-or-more.ts'
import type { Engine } from './model/engine.ts'
import { codeOf, FusewireError } from './model/errors.ts'
import { consoleLog, type Log } from './model/log.ts'
import type { Gate, Handler } from './model/registration.ts'
import { type Answer, failed, unavailable } from './receive/answer.ts'
import type { Authenticator } from './receive/authenticator.ts'
import { loopbackOnly } from './receive/combine.ts'
import { fromRequest } from './receive/from-request.ts'
import type { Incoming } from './model/incoming.ts'
import { inline } from './receive/inline.ts'
import { type Door, receive } from './receive/receive.ts'
import { reporter } from './receive/report.ts'
import { toResponse } from './receive/respond.ts'
import { checkMs, gateOf, type GivenGate, type GivenHandler, handlerOf } from './register.ts'

export interface WebhookOptions<Inbox extends Engine | 'none'> {
  /** Who may speak. `'none'` lets in this machine only, and nothing through `webhook.fetch`. */
  authenticate: Authenticator | 'none'
  /** Where a 2xx is kept. `'none'`: nothing is, handlers run before the answer and their failure is a 500. */
  inbox: Inbox
  /** Largest body, in bytes. Default: 10 MiB. */
  bodyLimit?: number
  /** From a request's first byte to the decision. Keep it under the webhook's read timeout in FusionAuth. Default: 1,500 ms. */
  gateTimeoutMs?: number
  /** Default: warnings and errors on stderr. */
  log?: Log
}

/** What answers FusionAuth. */
export interface Receiver {
  readonly fetch: (request: Request) => Promise<Response>
}

/** The way in for rims that have no Request. @internal */
export const receiveFrom: unique symbol = Symbol.for('fusewire.receiveFrom')

/**
 * Receives FusionAuth's events: authenticates each request, asks the gates, runs the handlers, answers.
 *
 * @example
 * const webhook = new Webhook({ authenticate: apiKey(() => process.env.WEBHOOK_KEY), inbox: 'none' })
 * webhook.gate('user.delete', ({ event, signal }) => todos.deleteAll(event.user.id, { signal }))
 * export const POST = webhook.fetch
 */
export class Webhook<const Inbox extends Engine | 'none' = Engine> implements Receiver, AsyncDisposable {
  readonly #authenticator: Authenticator
  readonly #bodyLimit: number
  readonly #gateTimeoutMs: number
  readonly #log: Log
  readonly #clock: Clock = systemClock
  readonly #report: (answer: Answer) => void
  readonly #gates = new Map<string, Gate[]>()
  readonly #handlers: Handler[] = []
  #opening: Promise<Door> | undefined
  #door: Door | undefined
  #stopped = false

  constructor(options: WebhookOptions<Inbox>) {
    const {
      authenticate,
      inbox,
      bodyLimit = 10 * 1024 * 1024,
      gateTimeoutMs = 1500,
      log = consoleLog,
    } = options
    checkAuthenticate(authenticate)
    checkInbox(inbox)
    checkMs('gateTimeoutMs', gateTimeoutMs)
    if (!Number.isSafeInteger(bodyLimit) || bodyLimit < 1) {
      throw new FusewireError('FW_OPTION', 'bodyLimit must be a number of bytes from 1.')
    }
    this.#authenticator = authenticate === 'none' ? loopbackOnly : authenticate
    this.#bodyLimit = bodyLimit
    this.#gateTimeoutMs = gateTimeoutMs
    this.#log = log
    this.#report = reporter(log, this.#clock)
  }

  /** Answers one request. Bound, so `export const POST = webhook.fetch` works. Never rejects. */
  readonly fetch = (request: Request): Promise<Response> => this.receive(request)

  /** `fetch` for those who know more of the request than it says itself: the address it came from. */
  async receive(request: Request, from: { remoteAddress?: string } = {}): Promise<Response> {
    const answer = await this[receiveFrom](fromRequest(request, from.remoteAddress))
    if (answer.status !== 200 && !request.bodyUsed) void request.body?.cancel().catch(() => {})
    return toResponse(answer)
  }

  /**
   * Decides about a transactional event while FusionAuth waits. Resolve, and it may commit; throw, and it is told no. Several gates of a type
   * are asked in order. A gate runs at least once for an event: make it safe to repeat.
   */
  gate<const T extends OneOrMore<TransactionalType>>(
    type: T,
    decide: (context: GateContext<EventsOf<T>>) => unknown,
  ): this
  gate<const T extends OneOrMore<TransactionalType>>(
    type: T,
    options: GateOptions,
    decide: (context: GateContext<EventsOf<T>>) => unknown,
  ): this
  gate(type: OneOrMore<string>, ...rest: WithOptions<GivenGate>): this {
    this.#checkOpen()
    const { options, run } = withOptions(rest)
    const types = asList(type)
    const gate = gateOf(types, options, run)
    for (const one of types) this.#gates.set(one, [...(this.#gates.get(one) ?? []), gate])
    return this
  }

  /** Handles events of a type, of several, or all (`'*'`). */
  on<const T extends Types>(
    type: T,
    handle: ((context: HandlerContext<EventsOf<T>>) => unknown) & MayOmitOptions<T>,
  ): this
  on<const T extends Types, const Options extends OnOptions<T, Inbox>>(
    type: T,
    options: Options & OnOptions<T, Inbox>,
    handle: (context: ContextOf<T, Inbox, Options>) => ResultOf<Inbox, Options>,
  ): this
  on(type: OneOrMore<string>, ...rest: WithOptions<GivenHandler>): this {
    this.#checkOpen()
    const { options, run } = withOptions(rest)
    const handler = handlerOf(type, options, run)
    if (this.#handlers.some(({ name }) => name === handler.name)) {
      throw new FusewireError(
        'FW_HANDLER_NAME',
        `There is a handler ${handler.name} already: give this one a name of its own.`,
      )
    }
    this.#handlers.push(handler)
    return this
  }

  /** Reads secrets, so that a missing one stops the start. The first request does it otherwise. */
  async start(): Promise<this> {
    await this.#open()
    return this
  }

  /** Answers 503 from now on. */
  async stop(): Promise<void> {
    this.#stopped = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** @internal */
  async [receiveFrom](incoming: Incoming): Promise<Answer> {
    const answer = await this.#answer(incoming)
    this.#report(answer)
    return answer
  }

  async #answer(incoming: Incoming): Promise<Answer> {
    if (this.#stopped) return unavailable('the webhook is stopped')
    try {
      return await receive(incoming, this.#door ?? (await this.#open()))
    } catch (error) {
      return failed(
        'failed',
        'The receiver failed.',
        `${codeOf(error) ?? 'unexpected'}: ${describeError(error)}`,
      )
    }
  }

  #open(): Promise<Door> {
    this.#opening ??= this.#openDoor().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #openDoor(): Promise<Door> {
    await this.#authenticator.prepare(this.#log, this.#clock)
    this.#door = {
      authenticator: this.#authenticator,
      intake: {
        bodyLimit: this.#bodyLimit,
        inFlightLimit: Math.max(64 * 1024 * 1024, this.#bodyLimit),
        inFlight: 0,
      },
      answerWithinMs: this.#gateTimeoutMs,
      gates: this.#gates,
      keeper: inline(this.#handlers, (type) => this.#gates.has(type), this.#clock),
      deciding: new Map(),
      clock: this.#clock,
      log: this.#log,
    }
    return this.#door
  }

  #checkOpen(): void {
    if (this.#opening === undefined) return
    throw new FusewireError(
      'FW_STARTED',
      'The webhook has started: call gate() and on() before start() and the first request.',
    )
  }
}

type Run = (context: never) => unknown
type WithOptions<Options> = [Run] | [Options, Run]

function withOptions<Options extends object>(
  rest: WithOptions<Options>,
): { options: Partial<Options>; run: Run } {
  const [first, second] = rest
  return typeof first === 'function' ? { options: {}, run: first } : { options: first, run: second as Run } // handlerOf and gateOf check it.
}

function checkAuthenticate(authenticate: unknown): void {
  const admits = typeof authenticate === 'object' && authenticate !== null && 'admit' in authenticate
  if (admits || authenticate === 'none') return
  throw new FusewireError(
    'FW_OPTION',
    "authenticate must be apiKey, basicAuth, signature, check, allOf or anyOf; 'none' lets in this machine only.",
  )
}

function checkInbox(inbox: unknown): void {
  if (inbox === 'none') return
  throw new FusewireError('FW_OPTION', "inbox must be 'none': handlers then run once, before the answer.")
}
