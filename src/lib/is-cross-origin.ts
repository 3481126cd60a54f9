import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a page of another origin made a browser send this request, by a form, an image or a script. `Sec-Fetch-Site` tells it, and for
 * browsers without that header `Origin`.
 *
 * @param ownHosts The names of this server, ports included, in lower case.
 */
export function isCrossOrigin(headers: IncomingHttpHeaders, ownHosts: ReadonlySet<string>): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  const { origin } = headers
  return origin !== undefined && !ownHosts.has(origin.replace(/^https?:\/\//, '').toLowerCase())
}
