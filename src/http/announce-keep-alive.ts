import type { ServerResponse } from 'node:http'

/**
 * Idle connections may be closed after this time without losing a request: a JVM reuses one for up to 2 s after an answer, as
 * `announceKeepAlive` told it, and its request needs time to arrive.
 */
export const idleBeforeCloseMs = 3000

/**
 * Announces a shorter time than any server keeps a connection. A JVM obeys it, but does not check whether the connection is still open.
 */
export function announceKeepAlive(response: ServerResponse): void {
  if (!response.shouldKeepAlive || response.hasHeader('connection') || response.hasHeader('keep-alive'))
    return
  response.setHeader('keep-alive', 'timeout=2') // node adds `Connection: keep-alive`.
}

/** Announces that the connection closes after this answer. */
export function announceClose(response: ServerResponse): void {
  response.removeHeader('keep-alive')
  if (response.req.httpVersionMajor === 1) response.setHeader('connection', 'close') // HTTP/2 has no such header.
}
