import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { holdContinue } from './expect-continue.ts'
import { limitConnections } from './limit-connections.ts'

/**
 * Gives a server the limits a public door needs: headers within 5 s, a request within 10 s, checked every second; 2,000 connections, of
 * which the silent go first; kept alive 75 s, so that FusionAuth's connections outlive its pauses. A sender that asks
 * `Expect: 100-continue` waits until its credentials are good, and what is not HTTP gets a JSON 400. Create the server with
 * `maxHeaderSize: 8192` to bound headers too.
 *
 * @example
 * const server = hardenServer(createServer({ maxHeaderSize: 8192, connectionsCheckingInterval: 1000 }, toNodeHandler(webhook)))
 */
export function hardenServer<S extends Server | SecureServer>(server: S): S {
  server.headersTimeout = 5000
  server.requestTimeout = 10_000
  server.keepAliveTimeout = 75_000
  limitConnections(server, 2000)
  holdContinue(server)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
    const [status, code] = statusOf(error.code)
    const body = JSON.stringify({
      errors: [{ code: `[${code}]`, message: 'This is not an HTTP request we can read.' }],
    })
    socket.end(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    return undefined
  })
  return server
}

function statusOf(code: string | undefined): readonly [string, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'headersTooLarge']
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'timeout']
    default:
      return ['400 Bad Request', 'badRequest']
  }
}
