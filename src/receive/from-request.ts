import type { BodySource, IncomingRequest, IncomingHeaders } from '../model/incoming-request.ts'
import { StreamedBody } from './streamed-body.ts'

/** Adapts a web-standard Request. */
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

  /** `Headers` joins repeated values with a comma. Credentials are not checked for one: they may contain a comma, and joined ones match nothing. */
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
