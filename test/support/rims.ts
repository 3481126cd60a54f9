import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { hardenServer, toNodeHandler } from 'fusewire/node'
import type { Receiver } from 'fusewire'

/** What is sent. A body that is a stream goes chunked, without a length. */
export interface Sending {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
}

export interface Told {
  readonly status: number
  readonly body: string
  readonly headers: Headers
}

/** A way into a webhook. */
export interface Rim extends AsyncDisposable {
  send(what: Sending): Promise<Told>
}

export type RimName = keyof typeof rims

/** Both ways in: what is promised must hold over each. */
export const rims = { fetch: fetchRim, node: nodeRim } as const
export const rimNames: readonly RimName[] = ['fetch', 'node']

async function fetchRim(webhook: Receiver): Promise<Rim> {
  return {
    async send({ method = 'POST', headers = {}, body }) {
      const list = Object.entries(headers).flatMap(([name, value]) =>
        [value].flat().map((one): [string, string] => [name, one]),
      )
      const response = await webhook.fetch(
        new Request('http://localhost/fusionauth-webhook', {
          method,
          headers: list,
          ...(body !== undefined && { body: isStream(body) ? toWeb(body) : exact(body), duplex: 'half' }),
        }),
      )
      return { status: response.status, body: await response.text(), headers: response.headers }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

async function nodeRim(webhook: Receiver): Promise<Rim> {
  const handle = toNodeHandler(webhook)
  const server = hardenServer(createServer((request, response) => void handle(request, response)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  return {
    send: (what) => sendTo(port, what),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** One request over a socket of its own. A sender whose upload is cut off still reads the answer, if there is one. */
export function sendTo(
  port: number,
  { method = 'POST', headers = {}, body }: Sending,
  path = '/',
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const out = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
    )
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method, headers: out, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            headers: new Headers(
              Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
            ),
          }),
        )
      },
    )
    request.on('error', reject)
    if (body === undefined) request.end()
    else if (isStream(body))
      Readable.from(body)
        .on('error', () => request.destroy())
        .pipe(request)
    else request.end(Buffer.from(body)) // node would write the headers of a text body in UTF-8
  })
}

function isStream(body: string | Uint8Array | AsyncIterable<Uint8Array>): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body
}

function toWeb(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from(body)
}

/** `BodyInit` wants bytes that are surely not shared. */
const exact = (body: string | Uint8Array) => (typeof body === 'string' ? body : new Uint8Array(body))
