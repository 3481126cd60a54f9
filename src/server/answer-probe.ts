import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Answers `GET /livez` and `GET /readyz` of those who send no token, by whatever `Host`, because a kubelet or a load balancer asks by an
 * address it chose and has no secret. They learn whether the process runs and is ready, one bit each, which the door's answers tell
 * everybody too; never why not. What comes from a page in a browser, or with a token, is left to the guard.
 *
 * @returns Whether it was such a request, and is answered.
 */
export function answerProbe(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  isReady: () => boolean,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  if (url !== '/livez' && url !== '/readyz') return false
  if (['authorization', 'origin', 'sec-fetch-site'].some((name) => headers[name] !== undefined)) return false
  const isFine = url === '/livez' || isReady()
  const text = url === '/livez' ? 'ok\n' : isFine ? 'ready\n' : 'not ready\n'
  response.writeHead(isFine ? 200 : 503, { 'content-type': 'text/plain', 'content-length': text.length })
  response.end(text)
  return true
}
