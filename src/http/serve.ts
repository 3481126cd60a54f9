import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Receiver } from '../webhook.ts'
import { hardenServer } from './harden-server.ts'
import { toNodeHandler } from './to-node-handler.ts'

export interface ServeOptions {
  /** 0 takes a free one. Default: 3000. */
  port?: number
  /** Default: every address of the machine. */
  hostname?: string
  /** The one path that is served. Default: `/fusionauth-webhook`. */
  path?: string
}

/** A listening server. `stop` (or `await using`) ends it. */
export interface Served extends AsyncDisposable {
  /** With the path. */
  readonly url: string
  /** Lets requests under way end, then stops the webhook. SIGTERM and SIGINT call it. */
  stop(): Promise<void>
}

/** Starts the webhook and listens for FusionAuth's requests at one path, until it is stopped. */
export async function serve(
  webhook: Receiver & { start(): Promise<unknown>; stop(): Promise<unknown> },
  options: ServeOptions = {},
): Promise<Served> {
  const { port = 3000, hostname, path = '/fusionauth-webhook' } = options
  await webhook.start()
  const handle = toNodeHandler(webhook)
  const underWay = new Set<ServerResponse>()
  const server = hardenServer(
    createServer({ maxHeaderSize: 8192, connectionsCheckingInterval: 1000 }, (request, response) => {
      underWay.add(response)
      response.once('close', () => underWay.delete(response))
      if (!server.listening) response.setHeader('connection', 'close')
      if (pathOf(request) === path) return void handle(request, response)
      response.writeHead(404, { 'content-type': 'application/json', connection: 'close' })
      response.end('{"errors":[{"code":"[notFound]","message":"There is nothing here."}]}')
    }),
  )
  const address = await listening(server, port, hostname)

  const stop = once(async () => {
    process.off('SIGTERM', stopBySignal).off('SIGINT', stopBySignal)
    const closed = new Promise((resolve) => server.close(resolve))
    await Promise.all([...underWay].map(lastOfItsConnection))
    // node itself waits for connections that are kept alive, and for ever for those that never say a word.
    server.closeAllConnections()
    await closed
    await webhook.stop()
  })
  const stopBySignal = () => void stop()
  process.once('SIGTERM', stopBySignal).once('SIGINT', stopBySignal)

  const host =
    address.family === 'IPv6'
      ? hostname === undefined
        ? 'localhost'
        : `[${address.address}]`
      : address.address
  return { url: `http://${host}:${address.port}${path}`, stop, [Symbol.asyncDispose]: stop }
}

/** Resolves when the answer is out. Its sender is told not to come back by this connection. */
function lastOfItsConnection(response: ServerResponse): Promise<unknown> {
  if (!response.headersSent) response.setHeader('connection', 'close')
  return new Promise((resolve) => response.once('close', resolve))
}

/** The path alone, of `/a?b` and of `http://host/a`. */
function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''
  return url.slice(origin.length).split(/[?#]/, 1)[0]
}

async function listening(server: Server, port: number, hostname: string | undefined): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(hostname !== undefined && { host: hostname }) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server.address() as AddressInfo // A listening TCP server has one.
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= work())
}
