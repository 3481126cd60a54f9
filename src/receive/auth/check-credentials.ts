import { whenThere } from '../../lib/when-there.ts'
import type { IncomingRequest } from '../../model/incoming-request.ts'
import { type Answer, unauthorized, unavailable } from '../answer/answer.ts'
import type { ReadContext } from '../receive-context.ts'
import type { Admission, Verdict } from './authenticator.ts'

/** Asks the authenticator. A 503 means that it cannot tell yet, because keys could not be fetched. */
export function checkCredentials(
  request: IncomingRequest,
  { authenticator }: Pick<ReadContext, 'authenticator'>,
): Admission | Answer | Promise<Admission | Answer> {
  return whenThere(authenticator.admit(request), answerTo)
}

function answerTo(verdict: Verdict): Admission | Answer {
  if (verdict.admitted) return verdict
  return verdict.retry === true ? unavailable(verdict.reason) : unauthorized(verdict.reason)
}
