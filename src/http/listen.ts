import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hardenServer } from './harden-server.ts'

/** A hardened server that listens. */
export interface Listening {
  /** `http://127.0.0.1:3000`, without a path. */
  readonly origin: string
  readonly port: number
  /**
   * Takes no more requests, lets those under way end, closes every connection.
   *
   * @param withinMs Closes what is open then. Default: no limit, though a request ends within about 12 s.
   */
  close(withinMs?: number): Promise<void>
}

/** Listens with the limits of a public door. Rejects with node's error when the port is taken. */
export async function listen(
  answer: RequestListener,
  port: number,
  hostname: string | undefined,
): Promise<Listening> {
  const underWay = new Set<ServerResponse>()
  const server = hardenServer(
    createServer({ maxHeaderSize: 8192, connectionsCheckingInterval: 1000 }, (request, response) => {
      underWay.add(response)
      response.once('close', () => underWay.delete(response))
      if (!server.listening) response.setHeader('connection', 'close')
      answer(request, response)
    }),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(hostname !== undefined && { host: hostname }) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address() as AddressInfo // A listening TCP server has one.

  return {
    origin: `http://${hostOf(address, hostname)}:${address.port}`,
    port: address.port,
    async close(withinMs) {
      const closed = new Promise((resolve) => server.close(resolve))
      const timer =
        withinMs === undefined ? undefined : setTimeout(() => server.closeAllConnections(), withinMs)
      await Promise.all([...underWay].map(lastOfItsConnection))
      clearTimeout(timer)
      // node itself waits for connections that are kept alive, and for ever for those that never say a word.
      server.closeAllConnections()
      await closed
    },
  }
}

/** The path alone, of `/a?b` and of `http://host/a`. */
export function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''
  return url.slice(origin.length).split(/[?#]/, 1)[0]
}

/** Answers with one error in the form of every other. */
export function answerError(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify({ errors: [{ code: `[${code}]`, message }] }))
}

function hostOf({ family, address }: AddressInfo, hostname: string | undefined): string {
  if (family !== 'IPv6') return address
  return hostname === undefined ? 'localhost' : `[${address}]`
}

/** Resolves when the answer is out. Its sender is told not to come back by this connection. */
function lastOfItsConnection(response: ServerResponse): Promise<unknown> {
  if (!response.headersSent) response.setHeader('connection', 'close')
  return new Promise((resolve) => response.once('close', resolve))
}
