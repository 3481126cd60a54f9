import type { ServerResponse } from 'node:http'

/**
 * A JVM uses a kept connection for up to 2 s after an answer, because `sayKeepAlive` tells it so, and its request then needs time to arrive:
 * after 3 s of silence no request of a JVM can be lost by closing.
 */
export const serveKeptMs = 3000

/** Announces less than any server keeps a connection: a JVM obeys it, and does not look whether the connection is still open. */
export function sayKeepAlive(response: ServerResponse): void {
  if (response.shouldKeepAlive) response.setHeader('keep-alive', 'timeout=2') // node adds `Connection: keep-alive`.
}
