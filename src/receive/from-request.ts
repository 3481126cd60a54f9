import type { BodySource, IncomingRequest, IncomingHeaders } from '../model/incoming-request.ts'
import { StreamedBody } from './streamed-body.ts'

/** A web-standard Request as the receiver reads it. */
export function fromRequest(request: Request, remoteAddress?: string): IncomingRequest {
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
