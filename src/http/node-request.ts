import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type {
  BodySink,
  BodySource,
  IncomingRequest,
  IncomingHeaders,
  PeerCertificate,
} from '../model/incoming-request.ts'
import { consumedBodyMessage } from './consumed-body-message.ts'
import { markAuthenticated } from './connections.ts'
import { continueIfAsked } from './hold-continue.ts'
import { repeatedHeader } from './repeated-header.ts'

/** Adapts a request of node:http. One object is request, headers and body source, because each request would otherwise allocate three. */
export class NodeRequest implements IncomingRequest, IncomingHeaders, BodySource {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly bytes?: Uint8Array
  readonly consumed?: string

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    const { rawBody, body } = request as { rawBody?: unknown; body?: unknown } // What frameworks leave on a request.
    if (rawBody instanceof Uint8Array) this.bytes = rawBody
    else if (body instanceof Uint8Array) this.bytes = body
    // Express 4's parsers leave {} on a request that they do not read.
    else if (request.readableDidRead || isParsed(body)) this.consumed = consumedBodyMessage(request)
  }

  get method(): string {
    return this.#request.method ?? ''
  }

  get headers(): IncomingHeaders {
    return this
  }

  get body(): BodySource {
    return this
  }

  get remoteAddress(): string | undefined {
    return this.#request.socket.remoteAddress
  }

  get host(): string | undefined {
    return this.get('host') ?? this.get(':authority') // What HTTP/2 has instead.
  }

  get httpVersion(): string {
    return this.#request.httpVersion
  }

  peerCertificate(): PeerCertificate | undefined {
    const socket = this.#request.socket as Partial<TLSSocket> // Only a TLS socket has getPeerCertificate, so its presence is checked.
    if (socket.authorized !== true) return undefined
    const certificate = socket.getPeerCertificate?.()
    if (certificate?.fingerprint256 === undefined) return undefined
    return { subject: String(certificate.subject.CN), fingerprint256: certificate.fingerprint256 }
  }

  // ── headers

  get(name: string): string | undefined {
    const value = this.#request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  repeated(names: ReadonlySet<string>): string | undefined {
    return repeatedHeader(this.#request.rawHeaders, names)
  }

  toHeaders(): Headers {
    const headers = new Headers()
    for (const name of Object.keys(this.#request.headers)) {
      const value = this.get(name)
      if (value !== undefined) headers.set(name, value)
    }
    return headers
  }

  // ── body

  /** Called when the headers have authenticated the sender. */
  start(sink: BodySink): void {
    const request = this.#request
    markAuthenticated(request)
    continueIfAsked(this.#response)
    request.on('data', (chunk: Buffer) => sink.chunk(chunk))
    request.on('end', () => sink.end())
    request.on('error', () => sink.fail()) // Without a listener it would be an uncaught exception in some hosts.
    request.on('close', () => sink.fail())
  }

  stop(): void {
    this.#request.pause()
  }
}

function isParsed(body: unknown): boolean {
  if (typeof body === 'string') return body !== ''
  return typeof body === 'object' && body !== null && Object.keys(body).length > 0
}
