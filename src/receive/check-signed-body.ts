import { type Answer, unauthorized } from './answer/answer.ts'
import type { AuthenticatedRequest } from './authenticated-request.ts'

/** Compares the body with the SHA-256 values that the verified tokens hold. */
export function checkSignedBody({ digests, body }: AuthenticatedRequest): Answer | undefined {
  return digests.some((digest) => digest !== body.sha256())
    ? unauthorized('the body is not the one that was signed')
    : undefined
}
