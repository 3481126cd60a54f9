import type { Authenticator } from './authenticator.ts'
import { type Answer, refused, unauthorized, unavailable } from '../answer/answer.ts'
import { whenThere } from '../../lib/when-there.ts'
import type { IncomingRequest } from '../../model/incoming-request.ts'

/** What the headers proved, and what the body has yet to prove. */
export interface Admission {
  /** SHA-256 values in standard base64 that the body must have. */
  readonly digests: readonly string[]
}

/**
 * Decides from the headers alone: method, framing, media type, credentials, the signature of the token itself. A stranger costs no body,
 * no disk and no fetch.
 */
export function authenticate(
  incoming: IncomingRequest,
  authenticator: Authenticator,
): Admission | Answer | Promise<Admission | Answer> {
  const wrong = checkMethod(incoming) ?? checkFraming(incoming, authenticator) ?? checkMedia(incoming)
  if (wrong !== undefined) return wrong
  return whenThere(authenticator.admit(incoming), answerTo)
}

function answerTo(verdict: Awaited<ReturnType<Authenticator['admit']>>): Admission | Answer {
  if (verdict.admitted) return verdict
  return verdict.retry === true ? unavailable(verdict.reason) : unauthorized(verdict.reason)
}

function checkMethod({ method }: IncomingRequest): Answer | undefined {
  return method === 'POST'
    ? undefined
    : refused(405, 'methodNotAllowed', 'Events come by POST.', { allow: 'POST' })
}

/** What two readers of the same bytes could understand differently is refused. */
function checkFraming({ headers }: IncomingRequest, authenticator: Authenticator): Answer | undefined {
  const twice = headers.repeated(singular(authenticator))
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

function checkMedia({ headers }: IncomingRequest): Answer | undefined {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') return refused(415, 'mediaType', 'Content-Type must be application/json.')
  const encoding = headers.get('content-encoding')?.toLowerCase()
  if (encoding === undefined || encoding === 'identity') return undefined
  return refused(415, 'contentEncoding', 'Content-Encoding must be identity.')
}

/** Headers that must not come twice. */
function singular(authenticator: Authenticator): ReadonlySet<string> {
  let names = singulars.get(authenticator)
  if (names === undefined) {
    names = new Set(['host', 'authorization', 'content-type', 'content-length', ...authenticator.headers])
    singulars.set(authenticator, names)
  }
  return names
}

const singulars = new WeakMap<Authenticator, ReadonlySet<string>>()
