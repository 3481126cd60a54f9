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
  readonly body: Buffer
  readonly connectTimeout: number
  /** From the connection to the last byte of the answer, so that a receiver that streams for ever has to end too. */
  readonly readTimeout: number
  /** PEM. Given, it is the only authority this receiver's certificate may come from. */
  readonly certificate?: string | undefined
}

/** A URL as node:http wants it. */
interface Address {
  readonly protocol: string
  readonly hostname: string
  readonly port: string
  readonly path: string
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
  readonly #addresses = new Map<string, Address>()
  readonly #open = new Set<ClientRequest>()

  constructor(targets: Targets) {
    this.#targets = targets
    this.#http = new HttpAgent({ keepAlive: true, maxSockets: 128, scheduling: 'lifo' })
  }

  /** Resolves always. */
  send(letter: Letter): Promise<Posted> {
    const address = this.#addressOf(letter.url)
    const refusal = this.#targets.refusal(address.hostname)
    if (refusal !== undefined) return Promise.resolve({ exception: refusal })
    return new Promise<Posted>((resolve) => this.#exchange(address, letter, resolve)).catch(
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

  /** Read once per URL: it is a tenth of the work of a post. */
  #addressOf(url: string): Address {
    const known = this.#addresses.get(url)
    if (known !== undefined) return known
    const { protocol, hostname, port, pathname, search } = new URL(url)
    const address = {
      protocol,
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      path: `${pathname}${search}`,
    }
    this.#addresses.set(url, address)
    return address
  }

  #exchange(address: Address, letter: Letter, resolve: (posted: Posted) => void): void {
    let timer: NodeJS.Timeout | undefined
    const request = this.#request(address, letter)
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

  #request(address: Address, letter: Letter): ClientRequest {
    const options = {
      ...address,
      method: 'POST',
      headers: { ...letter.headers, 'Content-Length': letter.body.length },
      lookup: this.#targets.lookup,
    }
    return address.protocol === 'https:'
      ? httpsRequest({ ...options, agent: this.#secure(letter.certificate) })
      : httpRequest({ ...options, agent: this.#http })
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
