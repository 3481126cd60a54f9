import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { BodySink, BodySource, Incoming, IncomingHeaders, PeerCertificate } from '../model/incoming.ts'
import { bodyReadBy } from './body-read-by.ts'
import { continueIfAsked } from './expect-continue.ts'

/** A request of node:http as the receiver reads it. */
export function fromNode(request: IncomingMessage, response: ServerResponse): Incoming {
  const { remoteAddress } = request.socket
  return {
    method: request.method ?? '',
    headers: new RawHeaders(request),
    body: bodyOf(request, response),
    ...(remoteAddress !== undefined && { remoteAddress }),
    peerCertificate: () => peerCertificate(request),
  }
}

class RawHeaders implements IncomingHeaders {
  readonly #request: IncomingMessage

  constructor(request: IncomingMessage) {
    this.#request = request
  }

  get(name: string): string | undefined {
    const value = this.#request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** node drops or joins what came twice; only the raw list shows it. */
  repeated(names: ReadonlySet<string>): string | undefined {
    const { rawHeaders } = this.#request
    const seen: string[] = []
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index]?.toLowerCase() ?? ''
      if (!names.has(name)) continue
      if (seen.includes(name)) return name
      seen.push(name)
    }
    return undefined
  }

  toHeaders(): Headers {
    const headers = new Headers()
    for (const name of Object.keys(this.#request.headers)) {
      const value = this.get(name)
      if (value !== undefined) headers.set(name, value)
    }
    return headers
  }
}

function bodyOf(request: IncomingMessage, response: ServerResponse): BodySource {
  const { rawBody, body } = request as { rawBody?: unknown; body?: unknown } // What frameworks leave on a request.
  const bytes = [rawBody, body].find((kept) => kept instanceof Uint8Array)
  if (bytes !== undefined) return { bytes, start: () => {}, stop: () => {} }
  // Express 4's parsers leave {} on a request that they do not read.
  const read = request.readableDidRead || Object.keys(Object(body)).length > 0
  if (read) return { consumed: bodyReadBy(request), start: () => {}, stop: () => {} }
  return { start: (sink) => flow(request, response, sink), stop: () => request.pause() }
}

function flow(request: IncomingMessage, response: ServerResponse, sink: BodySink): void {
  continueIfAsked(response)
  request.on('data', (chunk: Buffer) => sink.chunk(chunk))
  request.on('end', () => sink.end())
  request.on('error', () => sink.fail())
  request.on('close', () => sink.fail())
}

function peerCertificate(request: IncomingMessage): PeerCertificate | undefined {
  const socket = request.socket as Partial<TLSSocket> // Asked for before it is called: only a TLS socket has it.
  if (socket.authorized !== true) return undefined
  const certificate = socket.getPeerCertificate?.()
  if (certificate?.fingerprint256 === undefined) return undefined
  return { subject: String(certificate.subject.CN), fingerprint256: certificate.fingerprint256 }
}
