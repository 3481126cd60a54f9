import { admitted, type Authenticator, rejected, createAuthenticator, type Verdict } from './authenticator.ts'
import { isLoopbackName } from '../../lib/loopback-names.ts'
import type { IncomingRequest } from '../../model/incoming-request.ts'

/**
 * `authenticate: 'none'`, for development: lets in processes of this machine. A proxy, a tunnel or a page in a browser makes others look
 * like this machine, so what shows a sign of one is refused. A proxy that shows none cannot be told apart: docs/security.md lists what remains.
 *
 * @param hosts Names this machine is also called by in `Host`, without a port, beside `localhost`, `127.x.x.x` and `[::1]`.
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
    // A page that points its own name at this machine speaks to us as to its own server.
    if (names.some((name) => /^origin$|^sec-fetch-site$/.test(name))) {
      return rejected("authenticate: 'none' lets in no browser")
    }
    // nginx before 1.29.7 asks with HTTP/1.0 unless it is told otherwise. FusionAuth never does.
    if (httpVersion !== undefined && Number.parseFloat(httpVersion) < 1.1) {
      return rejected("authenticate: 'none' lets in nothing over HTTP/1.0, which proxies speak")
    }
    // haproxy passes on the name that the sender used.
    const name = host.toLowerCase().replace(/:\d{1,5}$/, '')
    if (!isLoopbackName(name) && !named.has(name)) {
      return rejected(
        "authenticate: 'none' lets in only who calls this machine localhost, or by a name in localHosts",
      )
    }
    return admitted
  }
}
