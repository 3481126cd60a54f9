import { types } from 'node:util'
import { discardBytes } from '../lib/discard-bytes.ts'
import type { BodySink, BodySource } from '../model/incoming-request.ts'
import { BodyTimeout, type TimedBody } from './body-timeout.ts'

type Reader = ReadableStreamDefaultReader<Uint8Array>

/** Each chunk counts as much at least: a stream of tiny ones costs by their number. */
const leastChunkBytes = 1024

/**
 * The body of a web-standard Request. It is never cancelled: h3, nitro, React Router and SvelteKit then lose the answer, or end the process.
 * Nor is it left unread, for a host that has opened the stream reads no more of the connection then, and a JVM writes all before it reads
 * the answer. What comes after `stop` is discarded: up to 32 MiB, 1.5 s of silence or 10 s in all. The answer does not wait for it.
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
    this.#discarding = patience.begin(() => this.#end(reader))
    if (!begun) void this.#flow(reader, nobody)
  }

  /** Never rejects: what goes wrong goes to the sink. */
  async #flow(reader: Reader, sink: BodySink): Promise<void> {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        if (this.#discarding !== undefined) {
          patience.progressed(this.#discarding)
          this.#discarded += Math.max(leastChunkBytes, next.value?.byteLength ?? 0)
          if (this.#discarded > discardBytes) break
        } else if (types.isUint8Array(next.value)) sink.chunk(next.value)
        else sink.fail() // A stream made by hand may hold anything.
      }
      sink.end()
    } catch {
      sink.fail()
    }
    this.#end(reader)
  }

  /** Gives the stream back: its host may do with the rest what it likes. */
  #end(reader: Reader): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#discarding !== undefined) patience.end(this.#discarding)
    reader.releaseLock() // A read that waits is rejected.
  }
}

const patience = new BodyTimeout()

const nobody: BodySink = { chunk: () => {}, end: () => {}, fail: () => {} }
