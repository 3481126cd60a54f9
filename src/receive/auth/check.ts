import { atMost } from '../../lib/at-most.ts'
import { systemClock } from '../../lib/clock.ts'
import { wrongOption } from '../../model/errors.ts'
import {
  admitted,
  type Authenticator,
  cost,
  createAuthenticator,
  rejected,
  type Verdict,
} from './authenticator.ts'
import type { IncomingRequest, PeerCertificate } from '../../model/incoming-request.ts'

/** What a `check` sees of a request: never its body. */
export interface Caller {
  /** The request's method, in upper case. */
  readonly method: string
  /** Its headers, a copy. */
  readonly headers: Headers
  /** The address it came from; behind a proxy, the proxy's. Absent where the host does not say. */
  readonly remoteAddress?: string
  /** The client's TLS certificate, where a Node server asked for one and trusts it. */
  readonly peerCertificate?: PeerCertificate
}

/**
 * A rule of your own, such as a client certificate. Admits a request only when the function returns `true`; any other value, an error, or no answer within a second rejects it.
 *
 * @param name Names it in the log.
 * @throws FW_OPTION when the second argument is no function.
 * @example
 * const authenticate = check(
 *   'client certificate',
 *   ({ peerCertificate }) => peerCertificate?.fingerprint256 === process.env.FUSIONAUTH_CERTIFICATE,
 * )
 */
export function check(name: string, holds: (caller: Caller) => boolean | Promise<boolean>): Authenticator {
  if (typeof holds !== 'function') {
    throw wrongOption('holds', `check(${JSON.stringify(name)}): the second argument must be a function.`)
  }
  let clock = systemClock

  async function decide(request: IncomingRequest): Promise<Verdict> {
    try {
      return (await holds(callerOf(request))) === true ? admitted : rejected(`check ${name} returned no true`)
    } catch {
      return rejected(`check ${name} threw`)
    }
  }

  return createAuthenticator({
    name,
    cost: cost.check,
    headers: [],
    async prepare(_, given) {
      clock = given
    },
    async admit(request) {
      const verdict = await atMost(clock, answerWithinMs, decide(request))
      return verdict ?? rejected(`check ${name} gave no answer within ${answerWithinMs} ms`)
    },
  })
}

const answerWithinMs = 1000

function callerOf(incoming: IncomingRequest): Caller {
  const { method, remoteAddress } = incoming
  const peerCertificate = incoming.peerCertificate?.()
  return {
    method,
    headers: incoming.headers.toHeaders(),
    ...(remoteAddress !== undefined && { remoteAddress }),
    ...(peerCertificate !== undefined && { peerCertificate }),
  }
}
