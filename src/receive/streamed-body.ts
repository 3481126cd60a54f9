import { types } from 'node:util'
import { discardBytes } from '../lib/discard-bytes.ts'
import type { BodySink, BodySource } from '../model/incoming-request.ts'
import { BodyTimeout, type TimedBody } from './body-timeout.ts'

type Reader = ReadableStreamDefaultReader<Uint8Array>

/** A chunk counts as at least so many bytes: what a discarded stream of tiny chunks costs is their number. */
const leastChunkBytes = 1024

/**
 * The body of a web-standard Request. After `stop` the rest of it is read and discarded, up to 32 MiB, 1.5 s without a chunk or 10 s in all;
 * the answer does not wait for that. Two simpler ways fail:
 * - To cancel it: h3, nitro, React Router and SvelteKit then lose the answer, or end the process.
 * - To leave it unread: the host then stops reading the connection, and a JVM, which writes its whole body first, never reads the answer.
 */
export class StreamedBody implements BodySource {
  readonly #request: Request
  #reader: Reader | undefined
  #ended = false
  #discarding: TimedBody | undefined
  #discarded = 0

  constructor(request: Request) {
    this.#request = request
  }

  start(sink: BodySink): void {
    this.#reader = this.#request.body?.getReader()
    if (this.#reader === undefined) return sink.end()
    void this.#flow(this.#reader, sink)
    return undefined
  }

  stop(): void {
    if (this.#ended || this.#discarding !== undefined) return
    const begun = this.#reader !== undefined
    const { body } = this.#request
    if (!begun && body?.locked === false) this.#reader = body.getReader()
    const reader = this.#reader
    if (reader === undefined) return
    this.#discarding = timeout.begin(() => this.#end(reader))
    if (!begun) void this.#flow(reader, discardingSink)
  }

  /** Never rejects: an error of the stream is reported to the sink. */
  async #flow(reader: Reader, sink: BodySink): Promise<void> {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        if (this.#discarding !== undefined) {
          timeout.progressed(this.#discarding)
          this.#discarded += Math.max(leastChunkBytes, next.value?.byteLength ?? 0)
          if (this.#discarded > discardBytes) break
        } else if (types.isUint8Array(next.value)) sink.chunk(next.value)
        else sink.fail() // A program can build a stream of anything.
      }
      sink.end()
    } catch {
      sink.fail()
    }
    this.#end(reader)
  }

  /** Unlocks the stream for its host. */
  #end(reader: Reader): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#discarding !== undefined) timeout.end(this.#discarding)
    reader.releaseLock() // Rejects a pending read.
  }
}

const timeout = new BodyTimeout()

const discardingSink: BodySink = { chunk: () => {}, end: () => {}, fail: () => {} }
