import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Targets } from './targets.ts'

/** One POST, ready to go. */
export interface Letter {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly connectTimeout: number
  /** From the connection to the last byte of the answer, so that a receiver that streams for ever has to end too. */
  readonly readTimeout: number
  /** PEM. Given, it is the only authority this receiver's certificate may come from. */
  readonly certificate?: string | undefined
}

/** What came of it. Without a status there was no answer. */
export interface Posted {
  readonly statusCode?: number
  readonly exception?: string
  /** The beginning of the answer, for a person to read. FusionAuth's event system ignores it. */
  readonly answer?: string
}

const readUpTo = 1_048_576
const showUpTo = 4_096

/** Sends letters. Connections are kept, redirects are answers like any other, no answer is read beyond 1 MiB. */
export class Post {
  readonly #targets: Targets
  readonly #http: HttpAgent
  readonly #https = new Map<string | undefined, HttpsAgent>()
  readonly #open = new Set<ClientRequest>()

  constructor(targets: Targets) {
    this.#targets = targets
    this.#http = new HttpAgent({ keepAlive: true, maxSockets: 128, scheduling: 'lifo' })
  }

  /** Resolves always. */
  send(letter: Letter): Promise<Posted> {
    const url = new URL(letter.url)
    const refusal = this.#targets.refusal(url.hostname)
    if (refusal !== undefined) return Promise.resolve({ exception: refusal })
    return new Promise<Posted>((resolve) => this.#exchange(url, letter, resolve)).catch(
      // A header no HTTP message can carry, like the `Header 1` of FusionAuth's own samples.
      (error: unknown) => ({ exception: error instanceof Error ? error.message : String(error) }),
    )
  }

  /** Breaks off what is under way. */
  stop(): void {
    for (const request of this.#open) request.destroy(new Error('the emulator was stopped or reset'))
    this.#http.destroy()
    for (const agent of this.#https.values()) agent.destroy()
    this.#https.clear()
  }

  #exchange(url: URL, letter: Letter, resolve: (posted: Posted) => void): void {
    let timer: NodeJS.Timeout | undefined
    const request = this.#request(url, letter)
    this.#open.add(request)
    const end = (posted: Posted) => {
      clearTimeout(timer)
      this.#open.delete(request)
      resolve(posted)
    }
    const limit = (ms: number, what: string) => {
      clearTimeout(timer)
      timer = setTimeout(() => request.destroy(new Error(`${what} timed out after ${ms} ms`)), ms)
    }
    request.on('socket', (socket) => {
      // A kept connection has no connecting to do. The wait for a free one is nobody's timeout.
      if (!socket.connecting) return limit(letter.readTimeout, 'read')
      limit(letter.connectTimeout, 'connect')
      socket.once('connect', () => limit(letter.readTimeout, 'read'))
    })
    request.on('error', (error) => end({ exception: error.message || 'connection failed' }))
    request.on('response', (response) => read(response, request, end))
    request.end(letter.body)
  }

  #request(url: URL, letter: Letter): ClientRequest {
    const options = {
      method: 'POST',
      headers: { ...letter.headers, 'Content-Length': Buffer.byteLength(letter.body) },
      lookup: this.#targets.lookup,
    }
    return url.protocol === 'https:'
      ? httpsRequest(url, { ...options, agent: this.#secure(letter.certificate) })
      : httpRequest(url, { ...options, agent: this.#http })
  }

  #secure(certificate: string | undefined): HttpsAgent {
    const known = this.#https.get(certificate)
    if (known !== undefined) return known
    const agent = new HttpsAgent({
      keepAlive: true,
      maxSockets: 128,
      ...(certificate !== undefined && { ca: certificate }),
    })
    this.#https.set(certificate, agent)
    return agent
  }
}

function read(response: IncomingMessage, request: ClientRequest, end: (posted: Posted) => void): void {
  let length = 0
  const shown: Buffer[] = []
  response.on('data', (chunk: Buffer) => {
    if (length < showUpTo) shown.push(chunk.subarray(0, showUpTo - length))
    length += chunk.length
    if (length > readUpTo) request.destroy(new Error(`the answer is longer than ${readUpTo} bytes`))
  })
  response.on('end', () => {
    const answer = Buffer.concat(shown).toString()
    end({ statusCode: response.statusCode ?? 0, ...(answer !== '' && { answer }) })
  })
  // Broken off in the middle: the reason is the request's error where we did it.
  response.on('error', (error) => end({ exception: request.errored?.message ?? error.message }))
  response.on('close', () => end({ exception: request.errored?.message ?? 'the answer broke off' }))
}
