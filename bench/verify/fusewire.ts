import { systemClock } from '../../src/lib/clock.ts'
import { signatureHeader } from '../../src/events/sign.ts'
import type { IncomingRequest } from '../../src/model/incoming-request.ts'
import { consoleLog } from '../../src/model/log.ts'
import { isAnswer } from '../../src/receive/answer/answer.ts'
import { createAuthenticatedRequest } from '../../src/receive/authenticated-request.ts'
import { createBody } from '../../src/receive/body.ts'
import { checkSignedBody } from '../../src/receive/check-signed-body.ts'
import { parseEvent } from '../../src/receive/parse-event.ts'
import { type Keys, signature } from '../../src/receive/auth/signature.ts'
import type { Message, Verify } from './message.ts'

/** The receiver's own steps in the receiver's order, without what is HTTP about them. */
export async function fusewire(keys: Keys): Promise<Verify> {
  const authenticator = signature(keys)
  await authenticator.prepare(consoleLog, systemClock)

  const context = { answerWithinMs: 1500, misprints: new Set<string>(), clock: systemClock, log: consoleLog }

  return async (message) => {
    const request = incomingOf(message)
    const admission = await authenticator.admit(request)
    if (!admission.admitted) throw new Error(admission.reason)
    const authenticated = createAuthenticatedRequest(request, 0, admission)
    authenticated.body = createBody([message.body])
    const wrong = checkSignedBody(authenticated)
    if (wrong !== undefined) throw new Error(wrong.reason)
    const event = parseEvent(authenticated, context)
    if (isAnswer(event)) throw new Error(event.reason)
    return event
  }
}

function incomingOf({ token }: Message): IncomingRequest {
  return {
    method: 'POST',
    headers: {
      get: (name) => (name === signatureHeader ? token : undefined),
      repeated: () => undefined,
      toHeaders: () => new Headers(),
    },
    body: noBody,
  }
}

const noBody: IncomingRequest['body'] = { start: () => {}, stop: () => {} }
