import { hash } from 'node:crypto'
import { type Answer, failed, refused, unavailable } from './answer/answer.ts'
import type { BodySink, BodySource, IncomingRequest } from '../model/incoming-request.ts'
import { BodyTimeout, type TimedBody } from './body-timeout.ts'

/** A body in full, not yet looked at. */
export interface Body {
  readonly bytes: Uint8Array
  /** In standard base64, as tokens claim it. Computed on first use. */
  sha256(): string
}

/** How much may be read. */
export interface BodyBudget {
  /** Bytes of one body. */
  readonly bodyLimit: number
  /** Bytes of all bodies being read or handled in this process. */
  readonly inFlightLimit: number
  inFlight: number
}

/** Reads the body. Whoever gets it gives `bytes.length` back to `intake.inFlight` when the request is over. */
export function readBody(
  incoming: IncomingRequest,
  intake: BodyBudget,
): Body | Answer | Promise<Body | Answer> {
  const { body, headers } = incoming
  if (body.consumed !== undefined) return failed('FW_BODY_READ', body.consumed)
  const declared = Number(headers.get('content-length') ?? 0)
  if (declared > intake.bodyLimit) return tooLarge(intake)
  if (intake.inFlight + declared > intake.inFlightLimit) return overloaded
  if (body.bytes === undefined)
    return new Promise((resolve) => body.start(new Reading(body, intake, resolve)))
  if (body.bytes.length > intake.bodyLimit) return tooLarge(intake)
  intake.inFlight += body.bytes.length
  return new ReceivedBody(body.bytes)
}

/** So many chunks are joined to one. */
const chunkLimit = 1024

/** A body on its way in. */
class Reading implements BodySink {
  readonly #source: BodySource
  readonly #intake: BodyBudget
  readonly #resolve: (result: Body | Answer) => void
  readonly #chunks: Uint8Array[] = []
  /** How many of the chunks are joined ones. */
  #joined = 0
  #size = 0
  #settled = false
  readonly #wait: TimedBody

  constructor(source: BodySource, intake: BodyBudget, resolve: (result: Body | Answer) => void) {
    this.#source = source
    this.#intake = intake
    this.#resolve = resolve
    this.#wait = patience.begin(() => this.#giveUp(slow))
  }

  chunk(bytes: Uint8Array): void {
    if (this.#settled) return
    this.#size += bytes.length
    this.#intake.inFlight += bytes.length
    if (this.#size > this.#intake.bodyLimit) return this.#giveUp(tooLarge(this.#intake))
    if (this.#intake.inFlight > this.#intake.inFlightLimit) return this.#giveUp(overloaded)
    this.#chunks.push(bytes)
    if (this.#chunks.length - this.#joined === chunkLimit) this.#join()
    patience.progressed(this.#wait)
  }

  /** Each chunk is an object, which of one byte weighs as much as 300 of them. */
  #join(): void {
    this.#chunks.push(Buffer.concat(this.#chunks.splice(this.#joined)))
    this.#joined += 1
  }

  end(): void {
    this.#settle(bodyOf(this.#chunks))
  }

  fail(): void {
    this.#giveUp(broken)
  }

  #giveUp(answer: Answer): void {
    if (this.#settled) return
    this.#source.stop()
    this.#intake.inFlight -= this.#size
    this.#settle(answer)
  }

  #settle(result: Body | Answer): void {
    if (this.#settled) return
    this.#settled = true
    patience.end(this.#wait)
    this.#resolve(result)
  }
}

class ReceivedBody implements Body {
  readonly bytes: Uint8Array
  #digest: string | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  sha256(): string {
    return (this.#digest ??= hash('sha256', this.bytes, 'base64'))
  }
}

/** The body that came in these pieces. */
export function bodyOf(chunks: readonly Uint8Array[]): Body {
  const [first] = chunks
  return new ReceivedBody(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks))
}

const patience = new BodyTimeout()

const tooLarge = ({ bodyLimit }: BodyBudget): Answer =>
  refused(413, 'tooLarge', `The body is larger than ${bodyLimit} bytes.`)
const overloaded = unavailable('too many bytes of bodies in flight')
const slow = refused(408, 'timeout', 'The body did not arrive in time.')
const broken = refused(400, 'incomplete', 'The body ended before its time.')
