import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Clock } from '../../lib/clock.ts'
import type { EventRequest } from './event-request.ts'
import type { Targets } from './targets.ts'

/** A URL as node:http wants it. */
interface Address {
  readonly protocol: string
  readonly hostname: string
  readonly port: string
  readonly path: string
}

/** The result of one post. Without `statusCode` there was no answer. */
export interface PostResult {
  readonly statusCode?: number
  readonly exception?: string
  /** The first 4 KiB of the answer, for a person to read. FusionAuth's event system ignores it. */
  readonly answer?: string
}

const readUpTo = 1_048_576
const showUpTo = 4_096

/** Posts events over HTTP. Reuses connections, does not follow redirects, reads at most 1 MiB of an answer. */
export class HttpSender {
  readonly #targets: Targets
  readonly #clock: Clock
  readonly #http: HttpAgent
  readonly #https = new Map<string | undefined, HttpsAgent>()
  readonly #addresses = new Map<string, Address>()
  readonly #underway = new Set<ClientRequest>()

  constructor(targets: Targets, clock: Clock) {
    this.#targets = targets
    this.#clock = clock
    this.#http = new HttpAgent({ keepAlive: true, maxSockets: 128, scheduling: 'lifo' })
  }

  /** Never rejects. */
  send(event: EventRequest): Promise<PostResult> {
    const address = this.#addressOf(event.url)
    const refusal = this.#targets.refusal(address.hostname)
    if (refusal !== undefined) return Promise.resolve({ exception: refusal })
    return new Promise<PostResult>((resolve) => this.#exchange(address, event, resolve)).catch(
      // A header name that HTTP does not allow, like the `Header 1` of FusionAuth's own samples.
      (error: unknown) => ({ exception: error instanceof Error ? error.message : String(error) }),
    )
  }

  /** Aborts all posts under way. */
  stop(): void {
    for (const request of this.#underway) request.destroy(new Error('the emulator was stopped or reset'))
    this.#http.destroy()
    for (const agent of this.#https.values()) agent.destroy()
    this.#https.clear()
  }

  /** Cached by URL: parsing one takes a tenth of the time of a post. */
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

  #exchange(address: Address, event: EventRequest, resolve: (posted: PostResult) => void): void {
    let cancelTimer = (): void => {}
    const request = this.#open(address, event)
    this.#underway.add(request)
    const end = (posted: PostResult) => {
      cancelTimer()
      this.#underway.delete(request)
      resolve(posted)
    }
    const limit = (ms: number, what: string) => {
      cancelTimer()
      cancelTimer = this.#clock.after(ms, () =>
        request.destroy(new Error(`${what} timed out after ${ms} ms`)),
      )
    }
    request.on('socket', (socket) => {
      // A reused connection is connected already. The wait for a free connection counts for neither timeout.
      if (!socket.connecting) return limit(event.readTimeout, 'read')
      limit(event.connectTimeout, 'connect')
      socket.once('connect', () => limit(event.readTimeout, 'read'))
    })
    request.on('error', (error) => end({ exception: error.message || 'connection failed' }))
    request.on('response', (response) => read(response, request, end))
    request.end(event.body)
  }

  #open(address: Address, event: EventRequest): ClientRequest {
    const options = {
      ...address,
      method: 'POST',
      headers: { ...event.headers, 'Content-Length': event.body.length },
      lookup: this.#targets.lookup,
    }
    return address.protocol === 'https:'
      ? httpsRequest({ ...options, agent: this.#secure(event.certificate) })
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

function read(response: IncomingMessage, request: ClientRequest, end: (posted: PostResult) => void): void {
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
  // The answer ended too early. If this process aborted it, the request's error is the reason.
  response.on('error', (error) => end({ exception: request.errored?.message ?? error.message }))
  response.on('close', () => end({ exception: request.errored?.message ?? 'the answer ended too early' }))
}
