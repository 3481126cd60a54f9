import type { IncomingRequest } from '../../model/incoming-request.ts'
import { type Answer, refused } from '../answer/answer.ts'
import type { ReadContext } from '../receive-context.ts'
import type { Authenticator } from './authenticator.ts'

/** Refuses what a proxy and this receiver could read differently: request smuggling needs that. */
export function checkFraming(
  { headers }: IncomingRequest,
  { authenticator }: Pick<ReadContext, 'authenticator'>,
): Answer | undefined {
  const twice = headers.repeated(singleHeaders(authenticator))
  if (twice !== undefined) return refused(400, 'duplicateHeader', `The ${twice} header came more than once.`)
  const length = headers.get('content-length')
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    return refused(400, 'contentLength', 'Content-Length is not a number.')
  }
  const transfer = headers.get('transfer-encoding')
  if (transfer !== undefined && transfer.toLowerCase() !== 'chunked') {
    return refused(400, 'transferEncoding', 'Transfer-Encoding may only be chunked.')
  }
  return undefined
}

/** Headers that must not come twice. */
function singleHeaders(authenticator: Authenticator): ReadonlySet<string> {
  let names = byAuthenticator.get(authenticator)
  if (names === undefined) {
    names = new Set(['host', 'authorization', 'content-type', 'content-length', ...authenticator.headers])
    byAuthenticator.set(authenticator, names)
  }
  return names
}

const byAuthenticator = new WeakMap<Authenticator, ReadonlySet<string>>()
