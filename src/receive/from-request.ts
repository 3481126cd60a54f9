import { types } from 'node:util'
import type { BodySink, BodySource, Incoming, IncomingHeaders } from '../model/incoming.ts'

/** A web-standard Request as the receiver reads it. */
export function fromRequest(request: Request, remoteAddress?: string): Incoming {
  return {
    method: request.method,
    headers: new JoinedHeaders(request.headers),
    body: request.bodyUsed || request.body?.locked === true ? consumedBody : new StreamedBody(request),
    ...(remoteAddress !== undefined && { remoteAddress }),
    get host() {
      return request.headers.get('host') ?? URL.parse(request.url)?.host
    },
  }
}

class JoinedHeaders implements IncomingHeaders {
  readonly #headers: Headers

  constructor(headers: Headers) {
    this.#headers = headers
  }

  get(name: string): string | undefined {
    return this.#headers.get(name) ?? undefined
  }

  /** Values sent twice arrive joined by a comma. Credentials may hold one of their own; joined, they match nothing anyway. */
  repeated(): string | undefined {
    return ['host', 'content-type', 'content-length'].find((name) => this.#headers.get(name)?.includes(','))
  }

  toHeaders(): Headers {
    return this.#headers
  }
}

const consumedBody: BodySource = {
  consumed:
    'Something read the request body before Fusewire. Hand over the request untouched: its signature is over the exact bytes.',
  start: () => {},
  stop: () => {},
}

class StreamedBody implements BodySource {
  readonly #request: Request
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined

  constructor(request: Request) {
    this.#request = request
  }

  start(sink: BodySink): void {
    this.#reader = this.#request.body?.getReader()
    void this.#flow(sink, this.#reader)
  }

  /** A source that fails to cancel has nothing more to give either. */
  stop(): void {
    const cancelled = this.#reader === undefined ? this.#request.body?.cancel() : this.#reader.cancel()
    cancelled?.catch(() => {})
  }

  /** Never rejects: what goes wrong goes to the sink. */
  async #flow(sink: BodySink, reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<void> {
    try {
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
        if (!types.isUint8Array(next.value)) return sink.fail() // A stream made by hand may hold anything.
        sink.chunk(next.value)
      }
    } catch {
      return sink.fail()
    }
    sink.end()
  }
}
