import { wrongOption } from '../../model/errors.ts'
import { admitted, type Authenticator, cost, rejected, createAuthenticator } from './authenticator.ts'
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
 * A rule of your own, such as a client certificate. Lets in only by `true`: anything else, an error, or no answer within a second is a no.
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
  return createAuthenticator({
    name,
    cost: cost.check,
    headers: [],
    prepare: async () => {},
    async admit(incoming) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(resolve, 1000, 'late')
      })
      try {
        const answer = await Promise.race([holds(callerOf(incoming)), late])
        if (answer === true) return admitted
        return rejected(
          answer === 'late' ? `check ${name} gave no answer within 1,000 ms` : `check ${name} said no`,
        )
      } catch {
        return rejected(`check ${name} threw`)
      } finally {
        clearTimeout(timer)
      }
    },
  })
}

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
