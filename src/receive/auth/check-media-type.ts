import type { IncomingRequest } from '../../model/incoming-request.ts'
import { type Answer, refused } from '../answer/answer.ts'

export function checkMediaType({ headers }: IncomingRequest): Answer | undefined {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') return refused(415, 'mediaType', 'Content-Type must be application/json.')
  const encoding = headers.get('content-encoding')?.toLowerCase()
  if (encoding === undefined || encoding === 'identity') return undefined
  return refused(415, 'contentEncoding', 'Content-Encoding must be identity.')
}
