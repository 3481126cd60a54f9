import { setTimeout as sleep } from 'node:timers/promises'
import { Faults } from './faults.ts'
import { Post, type Letter, type Posted } from './post.ts'
import type { Targets } from './targets.ts'

/** Whatever answers a request: `Webhook` of fusewire, a Hono app, a function of your own. */
export interface Receiver {
  /** Answers one request. */
  readonly fetch: (request: Request) => Promise<Response> | Response
}

/** Brings letters to receivers: over the network, or in process to those attached. Faults happen here. */
export class Courier {
  readonly faults: Faults = new Faults()
  readonly #post: Post
  readonly #attached = new Map<string, Receiver>()
  readonly #stop = new AbortController()

  constructor(targets: Targets) {
    this.#post = new Post(targets)
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted
  }

  attach(webhookId: string, receiver: Receiver): void {
    this.#attached.set(webhookId, receiver)
  }

  /** Resolves always. */
  async deliver(webhookId: string, letter: Letter): Promise<Posted> {
    if (this.stopped) return { exception: 'the emulator was stopped or reset' }
    const fault = this.faults.next(webhookId)
    switch (fault?.kind) {
      case undefined:
        return this.#send(webhookId, letter)
      case 'drop':
        return { exception: 'connection lost (a fault on demand)' }
      case 'delay':
        await this.#wait(fault.ms)
        return this.#send(webhookId, letter)
      case 'duplicate': {
        const [first] = await Promise.all([this.#send(webhookId, letter), this.#send(webhookId, letter)])
        return first
      }
      case 'status':
        await this.#send(webhookId, letter)
        return { statusCode: fault.status ?? 503 }
      case 'timeout':
        await Promise.all([this.#send(webhookId, letter), this.#wait(letter.readTimeout)])
        return { exception: `read timed out after ${letter.readTimeout} ms (a fault on demand)` }
    }
  }

  stop(): void {
    this.#stop.abort()
    this.#post.stop()
  }

  #send(webhookId: string, letter: Letter): Promise<Posted> {
    const receiver = this.#attached.get(webhookId)
    return receiver === undefined ? this.#post.send(letter) : this.#call(receiver, letter)
  }

  #call(receiver: Receiver, { url, headers, body, readTimeout }: Letter): Promise<Posted> {
    const request = new Request(url, { method: 'POST', headers: { ...headers }, body })
    const answering = async (): Promise<Posted> => {
      const response = await receiver.fetch(request)
      const answer = await response.text()
      return { statusCode: response.status, ...(answer !== '' && { answer }) }
    }
    return new Promise((resolve) => {
      const late = () => resolve({ exception: `read timed out after ${readTimeout} ms` })
      const timer = setTimeout(late, readTimeout)
      const failed = (error: unknown) =>
        resolve({ exception: error instanceof Error ? error.message : String(error) })
      void answering()
        .then(resolve, failed)
        .finally(() => clearTimeout(timer))
    })
  }

  /** Ends early when the emulator stops. */
  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined)
  }
}
