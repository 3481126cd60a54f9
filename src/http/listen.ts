import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectionsOf } from './connections.ts'
import { endAndClose } from './end-and-close.ts'
import { hardenServer } from './harden-server.ts'

/** A hardened server that listens. */
export interface Listening {
  /** `http://127.0.0.1:3000`, without a path. */
  readonly origin: string
  readonly port: number
  /**
   * Stops listening, but answers requests on open connections until those have been idle for `serveKeptMs`.
   *
   * @param withinMs After this time open connections are closed, those with a request under way too. Default: no limit; a request takes about 12 s at most.
   * @param serveKeptMs How long an idle connection is still served. Default: 3,000.
   */
  close(withinMs?: number, serveKeptMs?: number): Promise<void>
}

/** Listens with the limits of a server that strangers can reach. Rejects with node's error when the port is taken. */
export async function listen(
  answer: RequestListener,
  port: number,
  hostname: string | undefined,
): Promise<Listening> {
  const server = hardenServer(
    createServer({ maxHeaderSize: 8192, connectionsCheckingInterval: 1000 }, answer),
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
    async close(withinMs, serveKeptMs) {
      if (serveKeptMs !== undefined) connectionsOf(server).serveKeptMs = serveKeptMs
      const closed = new Promise((resolve) => server.close(resolve))
      const timer =
        withinMs === undefined ? undefined : setTimeout(() => server.closeAllConnections(), withinMs)
      await closed
      clearTimeout(timer)
    },
  }
}

/** The path alone, of `/a?b` and of `http://host/a`. */
export function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''
  return url.slice(origin.length).split(/[?#]/, 1)[0]
}

/** Answers with one error in the receiver's usual JSON form, and closes the connection. */
export function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
): void {
  const body = Buffer.from(JSON.stringify({ errors: [{ code: `[${code}]`, message }] }))
  response.statusCode = status
  response.setHeader('content-type', 'application/json').setHeader('content-length', body.length)
  void endAndClose(request, response, body)
}

function hostOf({ family, address }: AddressInfo, hostname: string | undefined): string {
  if (family !== 'IPv6') return address
  return hostname === undefined ? 'localhost' : `[${address}]`
}
