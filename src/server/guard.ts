import type { IncomingMessage } from 'node:http'
import { repeatedHeader } from '../http/repeated-header.ts'
import { isCrossOrigin } from '../lib/is-cross-origin.ts'
import { type AdminToken, tokenChecker } from './tokens.ts'

/** Why a request goes no further. */
export interface Turned {
  readonly status: 400 | 401 | 403 | 421
  readonly code: string
  readonly message: string
}

/** The names this listener may be called by, port included, in lower case. */
export type Hosts = ReadonlySet<string>

const onceOnly = new Set(['host', 'authorization', 'origin', 'content-type', 'content-length'])

/**
 * Stands before every admin route and looks at headers alone, never at the path: a tunnel or a port map makes the internet arrive from this
 * machine, and a page in an operator's browser can reach it too. So the request must call us by a name of ours (a page that points its own
 * name here cannot), must not come from another origin, and must show a token.
 */
export function guarding(
  hosts: () => Hosts,
  tokens: readonly AdminToken[],
): (request: IncomingMessage) => AdminToken | Turned {
  const tokenOf = tokenChecker(tokens)
  return (request) => {
    const { headers } = request
    const twice = repeatedHeader(request.rawHeaders, onceOnly)
    if (twice !== undefined) {
      return { status: 400, code: 'duplicateHeader', message: `The header ${twice} was sent more than once.` }
    }
    if (!hosts().has(headers.host?.toLowerCase() ?? '')) return misdirected
    if (isCrossOrigin(headers, hosts())) return crossOrigin
    const [, sent] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
    return (sent === undefined ? undefined : tokenOf(sent)) ?? unknown
  }
}

const misdirected: Turned = {
  status: 421,
  code: 'misdirected',
  message: 'This listener is not called by that Host. Name it in admin.hosts (--admin-name) if it should be.',
}
const crossOrigin: Turned = {
  status: 403,
  code: 'foreignOrigin',
  message: 'Requests from web pages of other origins are not allowed.',
}
const unknown: Turned = { status: 401, code: 'notAuthorized', message: 'Send Authorization: Bearer TOKEN.' }
