import type { BodySink, BodySource } from '../model/incoming-request.ts'
import { type Answer, failed, isAnswer, refused, unavailable } from './answer/answer.ts'
import type { AuthenticatedRequest } from './authenticated-request.ts'
import { type Body, createBody } from './body.ts'
import type { BodyBudget } from './body-budget.ts'
import { BodyTimeout, type TimedBody } from './body-timeout.ts'
import type { ReadContext } from './receive-context.ts'

/**
 * Reads the body into `authenticated.body`, if the inbox can take events and the budget has room for it. From then on its bytes count in
 * `bodyBudget.inFlight`; `receive` takes them out again when the request is over.
 */
export function readBody(
  authenticated: AuthenticatedRequest,
  { bodyBudget, sink }: Pick<ReadContext, 'bodyBudget' | 'sink'>,
): Answer | undefined | Promise<Answer | undefined> {
  const { body, headers } = authenticated.request
  const closed = sink.closed()
  if (closed !== undefined) return unavailable(closed)
  if (body.consumed !== undefined) return failed('FW_BODY_READ', body.consumed)
  const declared = Number(headers.get('content-length') ?? 0)
  if (declared > bodyBudget.bodyLimit) return tooLarge(bodyBudget)
  if (bodyBudget.inFlight + declared > bodyBudget.inFlightLimit) return overloaded
  if (body.bytes === undefined) return readStream(authenticated, bodyBudget)
  if (body.bytes.length > bodyBudget.bodyLimit) return tooLarge(bodyBudget)
  bodyBudget.inFlight += body.bytes.length
  authenticated.body = createBody([body.bytes])
  return undefined
}

function readStream(authenticated: AuthenticatedRequest, budget: BodyBudget): Promise<Answer | undefined> {
  const source = authenticated.request.body
  return new Promise((resolve) => {
    const reader = new BodyReader(source, budget, (result) => {
      if (isAnswer(result)) return resolve(result)
      authenticated.body = result
      return resolve(undefined)
    })
    source.start(reader)
  })
}

/** Chunks are joined when so many have come: each is an object, and one of a single byte takes as much memory as 300 bytes. */
const chunkLimit = 1024

/** Collects the chunks of one body until it ends or breaks a limit. */
class BodyReader implements BodySink {
  readonly #source: BodySource
  readonly #budget: BodyBudget
  readonly #done: (result: Body | Answer) => void
  readonly #chunks: Uint8Array[] = []
  /** How many elements of `#chunks` are the result of a join. */
  #joined = 0
  #size = 0
  #ended = false
  readonly #timed: TimedBody

  constructor(source: BodySource, budget: BodyBudget, done: (result: Body | Answer) => void) {
    this.#source = source
    this.#budget = budget
    this.#done = done
    this.#timed = timeout.begin(() => this.#refuse(slow))
  }

  chunk(bytes: Uint8Array): void {
    if (this.#ended) return
    this.#size += bytes.length
    this.#budget.inFlight += bytes.length
    if (this.#size > this.#budget.bodyLimit) return this.#refuse(tooLarge(this.#budget))
    if (this.#budget.inFlight > this.#budget.inFlightLimit) return this.#refuse(overloaded)
    this.#chunks.push(bytes)
    if (this.#chunks.length - this.#joined === chunkLimit) this.#join()
    timeout.progressed(this.#timed)
  }

  #join(): void {
    this.#chunks.push(Buffer.concat(this.#chunks.splice(this.#joined)))
    this.#joined += 1
  }

  end(): void {
    if (!this.#ended) this.#finish(createBody(this.#chunks))
  }

  /** Ignored after the end: node reports `close` after both `end` and `error`. */
  fail(): void {
    this.#refuse(incomplete)
  }

  #refuse(answer: Answer): void {
    if (this.#ended) return
    this.#source.stop()
    this.#budget.inFlight -= this.#size
    this.#finish(answer)
  }

  #finish(result: Body | Answer): void {
    this.#ended = true
    timeout.end(this.#timed)
    this.#done(result)
  }
}

const timeout = new BodyTimeout()

const tooLarge = ({ bodyLimit }: BodyBudget): Answer =>
  refused(413, 'tooLarge', `The body is larger than ${bodyLimit} bytes.`)
const overloaded = unavailable('too many bytes of bodies in memory')
const slow = refused(408, 'timeout', 'The body did not arrive in time.')
const incomplete = refused(400, 'incomplete', 'The body ended before its time.')
