import { systemClock } from '../../src/lib/clock.ts'
import { signatureHeader } from '../../src/events/sign.ts'
import type { IncomingRequest } from '../../src/model/incoming-request.ts'
import { consoleLog } from '../../src/model/log.ts'
import { isAnswer } from '../../src/receive/answer/answer.ts'
import { bodyOf } from '../../src/receive/read-body.ts'
import { parse } from '../../src/receive/parse.ts'
import { type Keys, signature } from '../../src/receive/auth/signature.ts'
import type { Message, Verify } from './message.ts'

/** The receiver's own steps in the receiver's order, without what is HTTP about them. */
export async function fusewire(keys: Keys): Promise<Verify> {
  const authenticator = signature(keys)
  await authenticator.prepare(consoleLog, systemClock)

  return async (message) => {
    const verdict = await authenticator.admit(incomingOf(message))
    if (!verdict.admitted) throw new Error(verdict.reason)
    const body = bodyOf([message.body])
    const wrong = verdict.digests.some((digest) => digest !== body.sha256())
    if (wrong) throw new Error('the body is not the one that was signed')
    const event = parse(body)
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
