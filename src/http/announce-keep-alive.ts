import type { ServerResponse } from 'node:http'

/**
 * A JVM uses a kept connection for up to 2 s after an answer, because `sayKeepAlive` tells it so, and its request then needs time to arrive:
 * after 3 s of silence no request of a JVM can be lost by closing.
 */
export const idleBeforeCloseMs = 3000

/** Announces less than any server keeps a connection: a JVM obeys it, and does not look whether the connection is still open. */
export function announceKeepAlive(response: ServerResponse): void {
  if (!response.shouldKeepAlive || response.hasHeader('connection') || response.hasHeader('keep-alive'))
    return
  response.setHeader('keep-alive', 'timeout=2') // node adds `Connection: keep-alive`.
}

/** Announces that the connection closes after this answer. */
export function announceClose(response: ServerResponse): void {
  response.removeHeader('keep-alive')
  if (response.req.httpVersionMajor === 1) response.setHeader('connection', 'close') // HTTP/2 knows no such header.
}
