import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'

/** An event as JSON has it. */
export interface Told {
  readonly type: string
  readonly id: string
  readonly tenantId?: string
  readonly linkedObjectId?: string
  readonly [field: string]: unknown
}

/** One request as it came. */
export interface Post {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: Told
}

/** A receiver of plain node:http that writes down every post and answers what it is told to. */
export class Recorder implements AsyncDisposable {
  readonly posts: Post[] = []
  /** The status for a post. */
  answer: (post: Post) => number = () => 200
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        const { event } = JSON.parse(body) as { event: Told }
        const post = { path: request.url ?? '', headers: request.headers, body, event }
        this.posts.push(post)
        response.statusCode = this.answer(post)
        response.end()
      })
    })
  }

  static async listen(): Promise<Recorder> {
    const recorder = new Recorder()
    recorder.#server.listen(0, '127.0.0.1')
    await once(recorder.#server, 'listening')
    return recorder
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get types(): string[] {
    return this.posts.map(({ event }) => event.type)
  }

  /** Forgets what came and returns it. */
  take(): Post[] {
    return this.posts.splice(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
