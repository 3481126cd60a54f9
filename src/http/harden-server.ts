import type { Server, ServerResponse } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import { answerMalformed } from './answer-malformed.ts'
import { closeGracefully } from './close-gracefully.ts'
import { connectionsOf } from './connections.ts'
import { holdContinue } from './hold-continue.ts'
import { announceKeepAlive } from './announce-keep-alive.ts'

/**
 * Gives a server the limits a public door needs: headers within 5 s, a request within 10 s, checked every second; 2,000 connections, of
 * which those that never sent good credentials are closed first, the oldest first; idle connections kept for 75 s, though every answer says `Keep-Alive: timeout=2`. A sender that asks
 * `Expect: 100-continue` waits until its credentials are good, and what is not HTTP gets a JSON 400. Create the server with
 * `maxHeaderSize: 8192` to bound headers too.
 *
 * `server.close()` then stops listening at once, but goes on to answer requests by the connections that are open, each answer with
 * `Connection: close`, until they have been idle for 3 s: FusionAuth's Java client would lose an event with each kept connection that is
 * closed. Call it before `webhook.stop()`.
 *
 * @example
 * import { createServer } from 'node:http'
 *
 * const server = hardenServer(
 *   createServer({ maxHeaderSize: 8192, connectionsCheckingInterval: 1000 }, toNodeHandler(webhook)),
 * )
 */
export function hardenServer<S extends Server | SecureServer>(server: S): S {
  server.headersTimeout = 5000
  server.requestTimeout = 10_000
  server.keepAliveTimeout = 75_000
  connectionsOf(server).limit = 2000
  closeGracefully(server)
  server.prependListener('request', (_request, response: ServerResponse) => announceKeepAlive(response))
  holdContinue(server)
  server.on('clientError', answerMalformed)
  return server
}
