import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { hardenServer, toNodeHandler } from 'fusewire/node'
import type { Receiver } from 'fusewire'

/** A hardened server on a port, as `serve` makes it. */
export interface Listening extends AsyncDisposable {
  readonly port: number
  readonly server: Server
}

export async function listen(
  webhook: Receiver,
  adjust: (server: Server) => void = () => {},
): Promise<Listening> {
  const handle = toNodeHandler(webhook)
  const server = hardenServer(
    createServer(
      { maxHeaderSize: 8192, connectionsCheckingInterval: 100 },
      (request, response) => void handle(request, response),
    ),
  )
  adjust(server)
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  return {
    port: (server.address() as AddressInfo).port, // A listening TCP server has one.
    server,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** A connection that says what it likes, and never closes by itself. */
export interface Raw extends AsyncDisposable {
  readonly socket: Socket
  write(text: string | Uint8Array): void
  /** What came so far. */
  received(): string
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>
}

export async function raw(port: number): Promise<Raw> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let received = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk))
  socket.on('error', () => {}) // A reset is one of the answers.
  const closed = new Promise<void>((resolve) => socket.once('close', resolve).once('end', resolve))
  await new Promise((resolve) => socket.once('connect', resolve))
  return {
    socket,
    write: (text) => void socket.write(text),
    received: () => received,
    closed,
    async [Symbol.asyncDispose]() {
      socket.destroy()
    },
  }
}

/** The status lines in what was received. */
export function statuses(received: string): readonly number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

export function post(headers: readonly string[], body = '', path = '/'): string {
  return [`POST ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', body].join('\r\n')
}
