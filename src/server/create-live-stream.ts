import type { Observer } from '../model/observer.ts'
import { outcomeLabel } from '../telemetry/labels.ts'

const maxStreams = 32
const maxWaiting = 1000
const heartbeatMs = 15_000

/** Server-sent events of what happens in this process. A client gets what happens while it is connected; nothing is kept for later. */
export interface LiveStream {
  readonly observer: Observer
  /** A stream of `receipt` and `attempt` messages; undefined while 32 are open. */
  open(): ReadableStream<Uint8Array> | undefined
  /** Ends all streams. */
  close(): void
}

/**
 * A client that reads too slowly misses messages, and a `missed` message says how many: at most 1,000 wait for a client. Messages name events
 * by id and type and hold no body.
 */
export function createLiveStream(): LiveStream {
  const listeners = new Set<Listener>()
  const heartbeat = setInterval(() => listeners.forEach((one) => one.beat()), heartbeatMs)
  heartbeat.unref()

  function send(event: string, data: object): void {
    if (listeners.size === 0) return
    const message = `event: ${event}\ndata: ${JSON.stringify({ at: Date.now(), ...data })}\n\n`
    for (const listener of listeners) listener.push(message)
  }

  return {
    observer: {
      answered({ status, outcome, reason, event }, tookMs) {
        if (listeners.size > 0) send('receipt', { status, outcome, reason, tookMs, ...event })
      },
      attempted({ handler, attempt, event: { type, key } }, end, tookMs) {
        if (listeners.size === 0) return
        const error = typeof end === 'object' && 'failure' in end ? end.failure?.message : undefined
        const { id, tenantId } = key
        send('attempt', { handler, attempt, type, id, tenantId, outcome: outcomeLabel(end), tookMs, error })
      },
      crashed: (handler, { id, tenantId }) => send('attempt', { handler, id, tenantId, outcome: 'crashed' }),
    },

    open() {
      if (listeners.size >= maxStreams) return undefined
      const listener: Listener = newListener()
      listeners.add(listener)
      return new ReadableStream<Uint8Array>(
        {
          pull: (controller) => listener.pull(controller),
          cancel: () => void listeners.delete(listener),
        },
        { highWaterMark: 0 }, // Messages wait in the listener, which counts them, not in the stream's own queue.
      )
    },

    close() {
      clearInterval(heartbeat)
      for (const listener of listeners) listener.end()
      listeners.clear()
    },
  }
}

interface Listener {
  push(message: string): void
  /** Sends a comment if no message waits, so that a broken connection is noticed. */
  beat(): void
  /** Resolves when it has given the controller messages, or closed it. */
  pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void>
  end(): void
}

function newListener(): Listener {
  let waiting: string[] = [': listening\n\n']
  let missed = 0
  let ended = false
  let wake = (): void => {}

  return {
    push(message) {
      if (waiting.length >= maxWaiting) missed += 1
      else waiting.push(message)
      wake()
    },
    beat() {
      if (waiting.length === 0) this.push(':\n\n')
    },
    async pull(controller) {
      if (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve))
      if (ended) return controller.close()
      if (missed > 0) waiting.push(`event: missed\ndata: {"messages":${missed}}\n\n`)
      const text = waiting.join('')
      waiting = []
      missed = 0
      controller.enqueue(Buffer.from(text))
    },
    end() {
      ended = true
      wake()
    },
  }
}
