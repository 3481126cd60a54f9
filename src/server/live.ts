import type { Observer } from '../model/observer.ts'
import { outcomeLabel } from '../telemetry/labels.ts'

const mostStreams = 32
const mostWaiting = 1000
const beatMs = 15_000

/** What happens in this process, as server-sent events, to whoever listens now. Nothing is kept for who comes later. */
export interface Live {
  readonly observer: Observer
  /** A stream of `receipt` and `attempt` messages; undefined while there are too many. */
  open(): ReadableStream<Uint8Array> | undefined
  /** Ends all streams. */
  close(): void
}

/**
 * A listener that does not keep up misses messages and is told how many: never does it grow a queue. Messages name events by id and type,
 * they hold no body.
 */
export function live(): Live {
  const listeners = new Set<Listener>()
  const beating = setInterval(() => listeners.forEach((one) => one.beat()), beatMs)
  beating.unref()

  function tell(event: string, data: object): void {
    if (listeners.size === 0) return
    const message = `event: ${event}\ndata: ${JSON.stringify({ at: Date.now(), ...data })}\n\n`
    for (const listener of listeners) listener.push(message)
  }

  return {
    observer: {
      answered({ status, outcome, reason, event }, tookMs) {
        if (listeners.size > 0) tell('receipt', { status, outcome, reason, tookMs, ...event })
      },
      attempted({ handler, attempt, event: { type, key } }, end, tookMs) {
        if (listeners.size === 0) return
        const error = typeof end === 'object' && 'failure' in end ? end.failure?.message : undefined
        const { id, tenantId } = key
        tell('attempt', { handler, attempt, type, id, tenantId, outcome: outcomeLabel(end), tookMs, error })
      },
      crashed: (handler, { id, tenantId }) => tell('attempt', { handler, id, tenantId, outcome: 'crashed' }),
    },

    open() {
      if (listeners.size >= mostStreams) return undefined
      const listener: Listener = newListener()
      listeners.add(listener)
      return new ReadableStream<Uint8Array>(
        {
          pull: (controller) => listener.give(controller),
          cancel: () => void listeners.delete(listener),
        },
        { highWaterMark: 0 }, // What is not asked for waits where it is counted.
      )
    },

    close() {
      clearInterval(beating)
      for (const listener of listeners) listener.end()
      listeners.clear()
    },
  }
}

interface Listener {
  push(message: string): void
  /** Says something if there is nothing else to say, so that a connection that is gone is noticed. */
  beat(): void
  /** Resolves when it has given the controller a message, or closed it. */
  give(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void>
  end(): void
}

function newListener(): Listener {
  let waiting: string[] = [': listening\n\n']
  let missed = 0
  let ended = false
  let wake = (): void => {}

  return {
    push(message) {
      if (waiting.length >= mostWaiting) missed += 1
      else waiting.push(message)
      wake()
    },
    beat() {
      if (waiting.length === 0) this.push(':\n\n')
    },
    async give(controller) {
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
