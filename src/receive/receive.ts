import { missingPath } from '../events/missing-path.ts'
import type { Clock } from '../lib/clock.ts'
import { whenThere } from '../lib/when-there.ts'
import { keyText } from '../model/event-key.ts'
import type { Log } from '../model/log.ts'
import type { Tracer } from '../model/observer.ts'
import type { RegisteredGate } from '../model/registered-handler.ts'
import type { ReceivedEvent, EventSink } from './keep/received-event.ts'
import { type Answer, isAnswer, unauthorized, unavailable } from './answer/answer.ts'
import { type Admission, authenticate } from './auth/authenticate.ts'
import type { Authenticator } from './auth/authenticator.ts'
import { type BodyBudget, readBody } from './read-body.ts'
import { deadlineOf } from './deadline.ts'
import { askGates } from './ask-gates.ts'
import { identify } from './identify.ts'
import type { IncomingRequest } from '../model/incoming-request.ts'
import { misshapen } from './keep/inline-sink.ts'
import { parse } from './parse.ts'

/** Everything that receiving one request needs. */
export interface ReceiveContext {
  readonly authenticator: Authenticator
  readonly intake: BodyBudget
  /** From a request's first byte to our decision. */
  readonly answerWithinMs: number
  readonly gates: ReadonlyMap<string, readonly RegisteredGate[]>
  readonly keeper: EventSink
  /** Events being decided, by the text of their keys and the hash of their bytes. */
  readonly deciding: Map<string, Promise<Answer>>
  /** Misprinted types that the log has been told of. */
  readonly misprints: Set<string>
  readonly tracer?: Tracer
  /** Somebody wants to know of every event, not only of those that are complained about. */
  readonly observed: boolean
  readonly clock: Clock
  readonly log: Log
}

/** A request's way to its answer. Fails only by an error of our own. */
export function receive(
  incoming: IncomingRequest,
  door: ReceiveContext,
  receivedAt: number = door.clock.now(),
): Answer | Promise<Answer> {
  return whenThere(authenticate(incoming, door.authenticator), (admission) =>
    traced(incoming, admission, door, receivedAt),
  )
}

/** A trace that the sender began is continued from here on, where the sender is known. */
function traced(
  incoming: IncomingRequest,
  admission: Admission | Answer,
  door: ReceiveContext,
  receivedAt: number,
): Answer | Promise<Answer> {
  if (isAnswer(admission)) return { ...admission, stranger: true }
  if (door.tracer === undefined) return takeIn(incoming, admission, door, receivedAt, undefined)
  const request = { receivedAt, header: (name: string) => incoming.headers.get(name) }
  return door.tracer.receiving(request, (trace) => takeIn(incoming, admission, door, receivedAt, trace))
}

async function takeIn(
  incoming: IncomingRequest,
  admission: Admission,
  door: ReceiveContext,
  receivedAt: number,
  trace: string | undefined,
): Promise<Answer> {
  const closed = door.keeper.closed()
  if (closed !== undefined) return unavailable(closed)

  const body = await readBody(incoming, door.intake)
  if (isAnswer(body)) return body
  try {
    const wrong = admission.digests.some((digest) => digest !== body.sha256())
    if (wrong) return unauthorized('the body is not the one that was signed')

    const parsed = parse(body, (misprint) => reportOnce(misprint, door))
    if (isAnswer(parsed)) return parsed
    const { event } = parsed

    const deadline = deadlineOf(receivedAt, door.answerWithinMs, door.clock)
    const key = identify(event)
    const accepted = { event, key, body, receivedAt, deadline, trace }
    const deciding = decideOnce(accepted, door)
    const answer = deciding instanceof Promise ? await deciding : deciding
    return answer.status === 200 && !door.observed
      ? answer
      : { ...answer, event: { type: event.type.slice(0, 128), id: event.id.slice(0, 128) } }
  } finally {
    door.intake.inFlight -= body.bytes.length
  }
}

/** FusionAuth's documentation prints some types wrong; whoever sends one so should know. */
function reportOnce(misprint: string, { misprints, log }: ReceiveContext): void {
  if (misprints.has(misprint)) return
  misprints.add(misprint)
  log.warn({ type: misprint }, 'an event has a misprint of its type; it is taken for the one that is meant')
}

/**
 * A copy with the same bytes that arrives while the event is being decided shares the answer. Other bytes under the same key are decided by
 * themselves. A decision made synchronously cannot overlap with a copy, so it is not entered in `deciding`.
 */
function decideOnce(accepted: ReceivedEvent, door: ReceiveContext): Answer | Promise<Answer> {
  const { deciding } = door
  const underWay = deciding.size === 0 ? undefined : deciding.get(copyText(accepted))
  if (underWay !== undefined) return underWay
  const answer = decide(accepted, door)
  if (!(answer instanceof Promise)) return answer
  const name = copyText(accepted)
  const forget = () => deciding.delete(name)
  answer.then(forget, forget)
  deciding.set(name, answer)
  return answer
}

function copyText({ key, body }: ReceivedEvent): string {
  return `${keyText(key)}/${body.sha256()}`
}

function decide(accepted: ReceivedEvent, door: ReceiveContext): Answer | Promise<Answer> {
  const gates = door.gates.get(accepted.event.type)
  return whenThere(
    door.keeper.recall(accepted),
    (recalled) =>
      recalled ?? (gates === undefined ? door.keeper.accept(accepted) : decideByGates(gates, accepted, door)),
  )
}

async function decideByGates(
  gates: readonly RegisteredGate[],
  accepted: ReceivedEvent,
  door: ReceiveContext,
): Promise<Answer> {
  const missing = missingPath(accepted.event)
  const no =
    missing === undefined
      ? await askGates(gates, accepted.event, accepted.deadline, door.log, door.clock)
      : misshapen(missing)
  if (no === undefined) return door.keeper.accept(accepted)
  await door.keeper.refuse(accepted, no)
  return no
}
