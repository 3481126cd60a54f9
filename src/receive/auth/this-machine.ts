import { admitted, type Authenticator, rejected, createAuthenticator, type Verdict } from './authenticator.ts'
import { isLoopbackName } from '../../lib/loopback-names.ts'
import type { IncomingRequest } from '../../model/incoming-request.ts'

/**
 * `authenticate: 'none'`, for development: admits requests of processes on this machine. Proxies, tunnels and web pages in a browser pass on
 * requests of others from this machine's address, so a request with a sign of one is rejected. A proxy that leaves no sign is not noticed:
 * docs/security.md lists those.
 *
 * @param hosts Further names of this machine in `Host`, without a port, besides `localhost`, `127.x.x.x` and `[::1]`.
 */
export function thisMachine(hosts: readonly string[]): Authenticator {
  const named = new Set(hosts.map((host) => host.toLowerCase()))
  return createAuthenticator({ name: 'none', cost: 0, headers: [], prepare: async () => {}, admit })

  function admit(incoming: IncomingRequest): Verdict {
    const { remoteAddress, httpVersion, host = '', headers } = incoming
    if (remoteAddress === undefined || !/^(::ffff:)?127\.|^::1$/.test(remoteAddress)) {
      return rejected("authenticate: 'none' lets in this machine only")
    }
    const names = [...headers.toHeaders().keys()]
    if (names.some((name) => /^(x-)?forwarded\b|^via$|^x-real-ip$/.test(name))) {
      return rejected("authenticate: 'none' lets in nothing that came through a proxy")
    }
    // DNS rebinding: a web page can point its own host name at this machine and then send it requests.
    if (names.some((name) => /^origin$|^sec-fetch-site$/.test(name))) {
      return rejected("authenticate: 'none' lets in no browser")
    }
    // nginx before 1.29.7 uses HTTP/1.0 by default. FusionAuth never does.
    if (httpVersion !== undefined && Number.parseFloat(httpVersion) < 1.1) {
      return rejected("authenticate: 'none' lets in nothing over HTTP/1.0, which proxies speak")
    }
    // haproxy forwards the Host that the sender used.
    const name = host.toLowerCase().replace(/:\d{1,5}$/, '')
    if (!isLoopbackName(name) && !named.has(name)) {
      return rejected(
        "authenticate: 'none' lets in only who calls this machine localhost, or by a name in localHosts",
      )
    }
    return admitted
  }
}
