import type { IncomingRequest } from '../model/incoming-request.ts'
import type { Admission } from './auth/authenticator.ts'
import { type Body, createBody } from './body.ts'

/** A request whose headers proved who sent it. */
export interface AuthenticatedRequest {
  readonly request: IncomingRequest
  /** When its headers arrived, epoch ms. */
  readonly receivedAt: number
  /** SHA-256 values in standard base64 that the body must have. */
  readonly digests: readonly string[]
  readonly trace: string | undefined
  /** Set by the step `body`; until then it has no bytes. */
  body: Body
}

export function createAuthenticatedRequest(
  request: IncomingRequest,
  receivedAt: number,
  { digests }: Admission,
  trace?: string,
): AuthenticatedRequest {
  return { request, receivedAt, digests, trace, body: unread }
}

const unread = createBody([])
