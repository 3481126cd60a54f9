import type { IncomingRequest } from '../model/incoming-request.ts'
import type { Tracer } from '../model/observer.ts'
import { type Answer, isAnswer } from './answer/answer.ts'
import { checkCredentials } from './auth/check-credentials.ts'
import { checkFraming } from './auth/check-framing.ts'
import { checkMediaType } from './auth/check-media-type.ts'
import { checkMethod } from './auth/check-method.ts'
import { askGates } from './ask-gates.ts'
import { type AuthenticatedRequest, createAuthenticatedRequest } from './authenticated-request.ts'
import type { Admission } from './auth/authenticator.ts'
import { checkSignedBody } from './check-signed-body.ts'
import { parseEvent } from './parse-event.ts'
import { readBody } from './read-body.ts'
import type { ReadContext, ReceiveContext } from './receive-context.ts'
import type { ReceivedEvent } from './received-event.ts'
import { runSteps, type Step } from './run-steps.ts'
import { shareAnswer } from './share-answer.ts'

// The steps of receiving, in the order in which they run. Each lets the request pass or answers it. docs/lifecycle.md describes them under the same names,
// and `fusewire verify` runs the first two lists on a captured request.

/** From the headers alone: until these have passed, the sender costs no read of a body and no write. */
export const headerSteps: readonly Step<HeaderStep, IncomingRequest, ReadContext, Admission>[] = [
  { name: 'method', run: checkMethod },
  { name: 'framing', run: checkFraming },
  { name: 'media type', run: checkMediaType },
  { name: 'credentials', run: checkCredentials },
]

/** The sender is known, apart from a signature that also covers the body. */
export const bodySteps: readonly Step<BodyStep, AuthenticatedRequest, ReadContext, ReceivedEvent>[] = [
  { name: 'body', run: readBody },
  { name: 'signed body', run: checkSignedBody },
  { name: 'event', run: parseEvent },
]

/** The event is known, and FusionAuth waits for the decision. */
export const decisionSteps: readonly Step<DecisionStep, ReceivedEvent, ReceiveContext, Answer>[] = [
  { name: 'known', run: (event, { sink }) => sink.findKnown(event) },
  { name: 'gate', run: askGates },
  { name: 'keep', run: (event, { sink }) => sink.accept(event) },
]

export type HeaderStep = 'method' | 'framing' | 'media type' | 'credentials'
export type BodyStep = 'body' | 'signed body' | 'event'
export type DecisionStep = 'known' | 'gate' | 'keep'

/** Takes one request through the steps to its answer. Rejects only with an error of our own. */
export async function receive(
  request: IncomingRequest,
  context: ReceiveContext,
  receivedAt: number = context.clock.now(),
): Promise<Answer> {
  const admission = await runSteps(headerSteps, request, context)
  if (isAnswer(admission)) return { ...admission, unauthenticated: true }

  return traceRequest(request, receivedAt, context.tracer, async (trace) => {
    const authenticated = createAuthenticatedRequest(request, receivedAt, admission, trace)
    try {
      const event = await runSteps(bodySteps, authenticated, context)
      if (isAnswer(event)) return event

      const answer = await shareAnswer(event, context.deciding, () => runSteps(decisionSteps, event, context))
      return answer.status === 200 && !context.observed ? answer : nameEvent(answer, event)
    } finally {
      context.bodyBudget.inFlight -= authenticated.body.bytes.length
    }
  })
}

/** Continues the trace that the sender began. Not before the sender is authenticated: a stranger must not add to anybody's traces. */
function traceRequest(
  { headers }: IncomingRequest,
  receivedAt: number,
  tracer: Tracer | undefined,
  run: (trace: string | undefined) => Promise<Answer>,
): Promise<Answer> {
  if (tracer === undefined) return run(undefined)
  return tracer.receiving({ receivedAt, header: (name) => headers.get(name) }, run)
}

function nameEvent(answer: Answer, { event: { type, id } }: ReceivedEvent): Answer {
  return { ...answer, event: { type: type.slice(0, 128), id: id.slice(0, 128) } }
}
