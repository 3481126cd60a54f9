import type { IncomingMessage } from 'node:http'
import { repeatedHeader } from '../http/repeated-header.ts'
import { isCrossOrigin } from '../lib/is-cross-origin.ts'
import { type AdminToken, createTokenFinder } from './admin-token.ts'
import { Refusal } from './api/refusal.ts'

/** The names this listener may be called by, port included, in lower case. */
export type Hosts = ReadonlySet<string>

const onceOnly: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'origin',
  'content-type',
  'content-length',
])

/**
 * Checks every request before a route is looked for, by its headers alone. The sender's address proves nothing: a tunnel or a port map lets
 * the internet arrive from this machine, and so does a page in an operator's browser. So the `Host` must be a name of this listener (a page
 * that points its own name here fails), no other origin may have caused the request, and it must carry a token.
 */
export function createGuard(
  hosts: () => Hosts,
  tokens: readonly AdminToken[],
): (request: IncomingMessage) => AdminToken | Refusal {
  const findToken = createTokenFinder(tokens)
  return ({ headers, rawHeaders }) => {
    const repeated = repeatedHeader(rawHeaders, onceOnly)
    if (repeated !== undefined)
      return new Refusal('duplicateHeader', `The header ${repeated} was sent more than once.`)
    if (!hosts().has(headers.host?.toLowerCase() ?? '')) return new Refusal('misdirected')
    if (isCrossOrigin(headers, hosts())) return new Refusal('foreignOrigin')
    const [, sent] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
    return (sent === undefined ? undefined : findToken(sent)) ?? new Refusal('notAuthorized')
  }
}
