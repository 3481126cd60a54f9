import type { TransactionalType } from '../events/types.ts'
import type {
  ContextOf,
  EventsOf,
  GateContext,
  GateOptions,
  HandlerContext,
  MayOmitOptions,
  NoBoolean,
  OnOptions,
  ResultOf,
  Types,
} from './on-options.ts'
import { atMost } from '../lib/at-most.ts'
import type { Clock } from '../lib/clock.ts'
import type { Inbox as OpenInbox } from '../inbox/inbox.ts'
import { createInbox } from '../inbox/create-inbox.ts'
import { describeError } from '../lib/describe-error.ts'
import { asList, type OneOrMore } from '../lib/one-or-more.ts'
import type { Drained } from '../model/drained.ts'
import type { Engine } from '../model/engine.ts'
import { codeOf } from '../lib/code-of.ts'
import { FusewireError, silentInbox } from '../model/errors.ts'
import type { IncomingRequest } from '../model/incoming-request.ts'
import { type Observer, combineObservers } from '../model/observer.ts'
import type { RegisteredGate } from '../model/registered-gate.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import { assemble } from './assemble.ts'
import { Opening, stopped } from './opening.ts'
import { type ResolvedOptions, resolveOptions } from './resolve-options.ts'
import { type Answer, broken, unavailable } from '../receive/answer/answer.ts'
import { fromRequest } from '../receive/from-request.ts'
import { receive } from '../receive/receive.ts'
import { ReceiptRecorder } from '../receive/answer/receipt-recorder.ts'
import { createAnswerLogger } from '../receive/answer/answer-logger.ts'
import { toResponse } from '../receive/answer/to-response.ts'
import { everybody } from '../receive/auth/everybody.ts'
import { type GivenGate, resolveGate } from './resolve-gate.ts'
import { type GivenHandler, resolveHandler } from './resolve-handler.ts'
import { internals, type Rehearsal, type WebhookInternals } from './webhook-internals.ts'
import type { WebhookOptions } from './webhook-options.ts'

/** What the adapters of `fusewire/node`, `fusewire/fastify` and others take: a `Webhook`. */
export interface Receiver {
  /** Answers one request. Never rejects. */
  readonly fetch: (request: Request) => Promise<Response>
}

/**
 * Receives FusionAuth's events: authenticates each request, asks the gates, keeps the event, answers, and runs the handlers. With
 * `inbox: 'none'` nothing is kept, and handlers run before the answer. Call `gate` and `on` first, then `start`; a webhook starts once and
 * stops once.
 *
 * @throws FW_OPTION, FW_KEY or FW_KEY_MISSING from the constructor, when an option makes no sense.
 * @example
 * const webhook = new Webhook({ authenticate: apiKey(() => process.env.WEBHOOK_KEY), inbox: 'none' })
 * webhook.gate('user.delete', ({ event, signal }) => todos.deleteAll(event.user.id, { signal }))
 * export const POST = webhook.fetch
 */
export class Webhook<const Inbox extends Engine | 'none' = Engine> implements Receiver, AsyncDisposable {
  /** In types only: makes `Webhook<'none'>` no `Webhook<Engine>`. @hidden */
  declare readonly '~inbox'?: Inbox
  /** The kept events: find, replay, prune, erase, export. Undefined with `inbox: 'none'`. */
  readonly inbox: Inbox extends 'none' ? undefined : OpenInbox
  readonly #options: ResolvedOptions
  readonly #logAnswer: (answer: Answer) => void
  readonly #receipts: ReceiptRecorder | undefined
  readonly #gates = new Map<string, RegisteredGate[]>()
  readonly #handlers: RegisteredHandler[] = []
  readonly #observers: Observer[] = []
  readonly #opening: Opening
  /** Keeps the authenticator's keys fresh until it is disposed. */
  #freshKeys: Disposable | undefined
  #stopping: Promise<void> | undefined

  /** @internal */
  readonly [internals]: WebhookInternals = {
    receive: (request) => this.#receive(request),
    notReady: () => this.#notReady(),
    stopDelivering: (withinMs) => this.#stopDelivering(withinMs),
    observe: (observer) => this.#observe(observer),
    rehearse: (inbox, clock) => this.#rehearse(inbox, clock),
  }

  constructor(options: WebhookOptions<Inbox>) {
    this.#options = resolveOptions(options)
    const { inbox, clock, log } = this.#options
    const receipts = inbox === 'none' ? undefined : new ReceiptRecorder(inbox, clock, log)
    this.#receipts = receipts
    const tended =
      inbox === 'none'
        ? undefined
        : createInbox(inbox, { clock: this.#options.clock, strangers: () => receipts?.strangers() })
    this.inbox = tended as Inbox extends 'none' ? undefined : OpenInbox // 'none' is the one value that gives undefined.
    this.#logAnswer = createAnswerLogger(log, clock)
    this.#opening = new Opening({
      assemble: () => assemble(this.#options, this.#gates, this.#handlers, this.#observers),
      isTemporary: (error) => inbox !== 'none' && inbox.isTemporary?.(error) === true,
      clock,
      log,
    })
  }

  /**
   * Answers one request. Bound, so that it can be passed without the webhook. Never rejects. The first request opens the inbox if `start` has not.
   *
   * @example
   * export const POST = webhook.fetch // a route of Next.js
   */
  readonly fetch = (request: Request): Promise<Response> => this.receive(request)

  /**
   * `fetch` for hosts that know the sender's address, or can stay awake after the answer. Never rejects.
   *
   * @param from.remoteAddress The address it came from, for `check` and for `authenticate: 'none'`. Default: unknown.
   * @param from.waitUntil Keeps a serverless host awake after the answer, to deliver what was just kept, for at most 25 s.
   * @example
   * export default {
   *   fetch: (request: Request, _: unknown, context: { waitUntil(work: Promise<unknown>): void }) =>
   *     webhook.receive(request, { waitUntil: (work) => context.waitUntil(work) }),
   * }
   */
  async receive(
    request: Request,
    from: { remoteAddress?: string; waitUntil?: (work: Promise<unknown>) => void } = {},
  ): Promise<Response> {
    const incoming = fromRequest(request, from.remoteAddress)
    const answer = await this.#receive(incoming)
    if (answer.outcome === 'kept') from.waitUntil?.(this.drain({ withinMs: afterAnswerMs }))
    if (answer.status !== 200) incoming.body.stop()
    return toResponse(answer)
  }

  /**
   * Decides about a transactional event while FusionAuth waits. Resolve: it may commit. Throw: it is refused, `Denied` with 422,
   * any other error with 500, no decision in time with 504. Several gates of a type are asked in order. A gate runs at least once for an
   * event: make it safe to repeat. What it returns is ignored, but `false`, or a value whose `ok` is `false`, is an error:
   * `FW_GATE_RESULT`.
   *
   * @throws FW_STARTED after `start` or the first request; FW_OPTION for an option that makes no sense.
   * @example
   * webhook.gate('user.delete', { timeoutMs: 1000 }, async ({ event, signal }) => {
   *   await todos.deleteAll(event.user.id, { signal })
   * })
   */
  gate<const T extends OneOrMore<TransactionalType>, Result>(
    type: T,
    decide: ((context: GateContext<EventsOf<T>>) => Result) & NoBoolean<Result>,
  ): this
  gate<const T extends OneOrMore<TransactionalType>, Result>(
    type: T,
    options: GateOptions,
    decide: ((context: GateContext<EventsOf<T>>) => Result) & NoBoolean<Result>,
  ): this
  gate(type: OneOrMore<string>, ...rest: WithOptions<GivenGate>): this {
    this.#checkNotStarted()
    const { options, run } = withOptions(rest)
    const types = asList(type)
    const gate = resolveGate(types, options, run)
    for (const one of types) this.#gates.set(one, [...(this.#gates.get(one) ?? []), gate])
    return this
  }

  /**
   * Handles events of a type, of several, or all (`'*'`), after FusionAuth has had its answer, until the handler succeeds. It runs at least
   * once for an event: make it safe to repeat. Events of one user come one at a time and in order. A throw, a rejection or a timeout is a
   * failed attempt; the next one comes after a random pause whose longest grows from 1 s to an hour.
   *
   * @throws FW_STARTED after `start` or the first request; FW_HANDLER_NAME for a name that is taken; FW_OPTION for an option that makes no
   * sense.
   * @example
   * webhook.on('user.delete.complete', async ({ event, signal }) => {
   *   await todos.deleteAll(event.user.id, { signal })
   * })
   * webhook.on('user.login.success', { when: 'received', maxAttempts: 3 }, ({ event }) => {
   *   audit.write(event.id, event.user.id)
   * })
   */
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
    this.#checkNotStarted()
    const { options, run } = withOptions(rest)
    const handler = resolveHandler(type, options, run)
    if (this.#handlers.some(({ name }) => name === handler.name)) {
      throw new FusewireError(
        'FW_HANDLER_NAME',
        `There is a handler ${handler.name} already: give this one a name of its own.`,
      )
    }
    this.#handlers.push(handler)
    return this
  }

  /**
   * Reads secrets, opens the inbox and begins to deliver. A webhook that is not started still receives; its deliveries wait for `drain`, or
   * for another process.
   *
   * While the inbox is away for a cause that passes by itself (the database does not answer or is starting, the file is locked), it is
   * tried again every 500 ms and this promise waits; requests are answered 503 meanwhile. Everything else rejects at once: a missing
   * secret, a wrong password, a wrong path.
   *
   * @param options.withinMs How long to go on trying; 0 fails at the first error. Default: until it succeeds or `stop` is called.
   * @throws The cause, or `FW_STOPPED` when `stop` was called first.
   * @example
   * await webhook.start()
   * process.once('SIGTERM', () => void webhook.stop())
   */
  async start(options: { withinMs?: number } = {}): Promise<this> {
    if (this.#stopping !== undefined) throw stopped()
    const { worker, notStartedWarning, maintenance } = await this.#opening.persist(
      options.withinMs ?? Infinity,
    )
    if (this.#stopping !== undefined) throw stopped()
    this.#freshKeys ??= this.#options.authenticator.keepReady?.()
    worker?.start()
    maintenance?.start()
    notStartedWarning?.stop()
    return this
  }

  /**
   * Delivers what is due, for hosts without a long-running process. A failed delivery is due again later: call `drain` on a schedule, too.
   *
   * @param options.withinMs Deliveries that have not ended by then are released. Default: until nothing is due.
   * @param options.signal Releases at once what has not ended.
   * @throws FW_INBOX_SILENT when the inbox does not answer, within two seconds after `withinMs`; FW_STOPPED after `stop`.
   * @example
   * const { dead, remaining } = await webhook.drain({ withinMs: 50_000 })
   * if (dead > 0) console.warn(`${dead} deliveries were given up, ${remaining} are left`)
   */
  async drain(options: { withinMs?: number; signal?: AbortSignal } = {}): Promise<Drained> {
    if (this.#stopping !== undefined) throw stopped()
    const { withinMs = Infinity, signal } = options
    const { clock } = this.#options
    const until = clock.now() + withinMs
    const opened = await atMost(clock, withinMs, this.#opening.once())
    if (opened === undefined) throw silentInbox()
    opened.notStartedWarning?.stop()
    void opened.maintenance?.drained()
    return opened.worker?.drain(Math.max(0, until - clock.now()), signal) ?? nothingDrained
  }

  /**
   * Answers 503 from now on, waits for running handlers, releases the other leases and closes the inbox. Ends a second after `withinMs` at the
   * latest, whatever a handler or the inbox does; a handler that ignores its `signal` may still run then, and keeps the process alive.
   *
   * @param options.withinMs Handlers still running after that are aborted, and attempted again another time. Default: 10,000.
   * @example
   * await webhook.stop({ withinMs: 5000 })
   */
  stop(options: { withinMs?: number } = {}): Promise<void> {
    return (this.#stopping ??= this.#stop(options.withinMs ?? 10_000))
  }

  async #stop(withinMs: number): Promise<void> {
    const { inbox, clock } = this.#options
    const until = clock.now() + withinMs + closeWithinMs
    const inTime = <T>(work: Promise<T>) => atMost(clock, until - clock.now(), work)
    this.#freshKeys?.[Symbol.dispose]()
    await inTime(this.#opening.stop())
    const { opened } = this.#opening
    opened?.notStartedWarning?.stop()
    opened?.receiving.sink.stop?.()
    const ending = Promise.all([opened?.worker?.stop(withinMs), opened?.maintenance?.stop()])
    await inTime(ending.then(() => this.#receipts?.flush()))
    if (inbox !== 'none') await inTime(Promise.resolve(inbox[Symbol.asyncDispose]()))
  }

  async #stopDelivering(withinMs: number): Promise<void> {
    const { opened } = this.#opening
    opened?.notStartedWarning?.stop()
    await opened?.worker?.stop(withinMs)
  }

  /** `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #receive(incoming: IncomingRequest): Promise<Answer> {
    const { opened } = this.#opening
    const observer = opened === undefined ? combineObservers(this.#observers) : opened.observer
    const receivedAt = this.#options.clock.now() // FusionAuth's timeout also runs while the first request opens the inbox.
    const answer = await this.#answer(incoming, receivedAt)
    observer?.answered?.(answer, this.#options.clock.now() - receivedAt)
    this.#logAnswer(answer)
    if (answer.status !== 200) this.#receipts?.record(answer, receivedAt)
    if (answer.outcome === 'kept') this.#opening.opened?.notStartedWarning?.stored()
    return answer
  }

  async #answer(incoming: IncomingRequest, receivedAt: number): Promise<Answer> {
    if (this.#stopping !== undefined) return unavailable('the webhook is stopped')
    try {
      const opened = this.#opening.isOpen
        ? this.#opening.opened
        : await this.#opening.forRequest(this.#options.gateTimeoutMs)
      if (opened === undefined) return unavailable('the webhook is not open yet')
      return await receive(incoming, opened.receiving, receivedAt)
    } catch (error) {
      return broken(`${codeOf(error) ?? 'unexpected'}: ${describeError(error)}`)
    }
  }

  #notReady(): string | undefined {
    if (this.#stopping !== undefined) return 'the webhook is stopped'
    if (this.#opening.opened === undefined) return 'the webhook is not started'
    const { sink, authenticator } = this.#opening.opened.receiving
    return sink.closed() ?? authenticator.notReady?.()
  }

  #observe(observer: Observer): void {
    this.#checkNotStarted()
    this.#observers.push(observer)
  }

  async #rehearse(inbox: Engine, clock: Clock): Promise<Rehearsal> {
    const { inbox: own } = this.#options
    const options = {
      ...this.#options,
      authenticator: everybody,
      inbox: own === 'none' ? own : inbox,
      clock,
    }
    const { receiving, worker, openInbox } = await assemble(options, this.#gates, this.#handlers, [])
    await openInbox()
    return {
      receive: (request) => receive(fromRequest(request, '127.0.0.1'), receiving),
      ...(worker !== undefined && { worker }),
    }
  }

  #checkNotStarted(): void {
    if (!this.#opening.hasBegun) return
    throw new FusewireError(
      'FW_STARTED',
      'The webhook has started: call gate() and on() before start() and the first request.',
    )
  }
}

/** For `waitUntil`: serverless hosts allow about 30 s of work after the answer. */
const afterAnswerMs = 25_000
/** For `stop`: how long the inbox may take to close when the handlers' time is up. */
const closeWithinMs = 1_000
const nothingDrained: Drained = { succeeded: 0, retrying: 0, dead: 0, remaining: 0 }

type Run = (context: never) => unknown
type WithOptions<Options> = [Run] | [Options, Run]

function withOptions<Options extends object>(
  rest: WithOptions<Options>,
): { options: Partial<Options>; run: Run } {
  const [first, second] = rest
  return typeof first === 'function'
    ? { options: {}, run: first }
    : { options: first ?? {}, run: second as Run } // resolveHandler and resolveGate check it.
}
