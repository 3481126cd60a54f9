/** A request of which only the headers have been read. The adapters (node:http, `Request`) create it; the receiver knows no other. */
export interface IncomingRequest {
  readonly method: string
  readonly headers: IncomingHeaders
  readonly body: BodySource
  readonly remoteAddress?: string | undefined
  /** The host that the sender addressed, with the port if it named one: `localhost:3000`. */
  readonly host?: string | undefined
  /** `1.0`, `1.1`, `2.0`. Undefined where the host does not say. */
  readonly httpVersion?: string | undefined
  /** The client's TLS certificate, if the server asked for one and trusts it. */
  peerCertificate?(): PeerCertificate | undefined
}

/** The client's TLS certificate, as Node reads it. */
export interface PeerCertificate {
  /** The subject's common name. */
  readonly subject: string
  /** SHA-256 of the certificate: 32 bytes in hex, upper case, with colons between. */
  readonly fingerprint256: string
}

export interface IncomingHeaders {
  /** By lower-case name. Bytes appear as Latin-1 characters, as node and fetch both have them. */
  get(name: string): string | undefined
  /** The first of these headers that was sent more than once. An adapter that only sees joined values looks for a comma. */
  repeated(names: ReadonlySet<string>): string | undefined
  /** For a `check` of the user's. */
  toHeaders(): Headers
}

export interface BodySource {
  /** The body's bytes, where a framework has read and kept them. */
  readonly bytes?: Uint8Array
  /** What the developer should do, where a framework has read the body and kept no bytes. */
  readonly consumed?: string
  /** Sends the body to the sink: chunks, then `end` or `fail`. Calls after these two are ignored. Called at most once. */
  start(sink: BodySink): void
  /** The request is refused: no more chunks are needed. May be called without `start`, and more than once. */
  stop(): void
}

export interface BodySink {
  chunk(bytes: Uint8Array): void
  end(): void
  fail(): void
}
