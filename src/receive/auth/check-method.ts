import type { IncomingRequest } from '../../model/incoming-request.ts'
import { type Answer, refused } from '../answer/answer.ts'

export function checkMethod({ method }: IncomingRequest): Answer | undefined {
  return method === 'POST'
    ? undefined
    : refused(405, 'methodNotAllowed', 'Events come by POST.', { allow: 'POST' })
}
