import type { Clock } from '../../lib/clock.ts'
import { pause } from '../../lib/pause.ts'
import type { EventRequest } from './event-request.ts'
import { Faults } from './faults.ts'
import { HttpSender, type PostResult } from './http-sender.ts'
import type { Targets } from './targets.ts'

/** Whatever answers a request: `Webhook` of fusewire, a Hono app, a function of your own. */
export interface Receiver {
  /** Answers one request. */
  readonly fetch: (request: Request) => Promise<Response> | Response
}

/** Sends events to receivers: over the network, or in process to those that were attached. Injects faults. */
export class EventSender {
  readonly faults: Faults = new Faults()
  readonly #http: HttpSender
  readonly #clock: Clock
  readonly #attached = new Map<string, Receiver>()
  readonly #stop = new AbortController()

  constructor(targets: Targets, clock: Clock) {
    this.#clock = clock
    this.#http = new HttpSender(targets, clock)
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted
  }

  attach(webhookId: string, receiver: Receiver): void {
    this.#attached.set(webhookId, receiver)
  }

  /** Never rejects. */
  async send(webhookId: string, request: EventRequest): Promise<PostResult> {
    if (this.stopped) return { exception: 'the emulator was stopped or reset' }
    const fault = this.faults.next(webhookId)
    switch (fault?.kind) {
      case undefined:
        return this.#send(webhookId, request)
      case 'drop':
        return { exception: 'connection lost (a fault on demand)' }
      case 'delay':
        await this.#wait(fault.ms)
        return this.#send(webhookId, request)
      case 'duplicate': {
        const [first] = await Promise.all([this.#send(webhookId, request), this.#send(webhookId, request)])
        return first
      }
      case 'status':
        await this.#send(webhookId, request)
        return { statusCode: fault.status ?? 503 }
      case 'timeout':
        await Promise.all([this.#send(webhookId, request), this.#wait(request.readTimeout)])
        return { exception: `read timed out after ${request.readTimeout} ms (a fault on demand)` }
    }
  }

  stop(): void {
    this.#stop.abort()
    this.#http.stop()
  }

  #send(webhookId: string, request: EventRequest): Promise<PostResult> {
    const receiver = this.#attached.get(webhookId)
    return receiver === undefined ? this.#http.send(request) : this.#call(receiver, request)
  }

  #call(receiver: Receiver, { url, headers, body, readTimeout }: EventRequest): Promise<PostResult> {
    const request = new Request(url, { method: 'POST', headers: { ...headers }, body })
    const answering = async (): Promise<PostResult> => {
      const response = await receiver.fetch(request)
      const answer = await response.text()
      return { statusCode: response.status, ...(answer !== '' && { answer }) }
    }
    return new Promise((resolve) => {
      const late = () => resolve({ exception: `read timed out after ${readTimeout} ms` })
      const cancel = this.#clock.after(readTimeout, late)
      const failed = (error: unknown) =>
        resolve({ exception: error instanceof Error ? error.message : String(error) })
      void answering().then(resolve, failed).finally(cancel)
    })
  }

  /** Ends early when the emulator stops. */
  #wait(ms: number): Promise<void> {
    return pause(this.#clock, ms, { signal: this.#stop.signal, keepsProcess: false })
  }
}
