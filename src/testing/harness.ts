import { memory } from '../engines/memory/engine.ts'
import type { EventMap, EventType } from '../events/types.ts'
import type { Engine } from '../model/engine.ts'
import type { Drained } from '../model/drained.ts'
import type { Webhook } from '../webhook/webhook.ts'
import { internals } from '../webhook/webhook-internals.ts'
import { handClock } from './hand-clock.ts'
import { request } from './request.ts'
import type { Overrides } from '../events/samples/overrides.ts'

/** What became of an event that was sent. */
export interface Sent {
  /** The HTTP status that FusionAuth would get. */
  readonly status: number
  /** What it means: `kept` or `handled`, known already, or why not. */
  readonly outcome:
    | 'kept'
    | 'handled'
    | 'duplicate'
    | 'denied'
    | 'failed'
    | 'timeout'
    | 'refused'
    | 'unavailable'
  /** Why, in the words of the log. */
  readonly reason?: string
}

/** A webhook's gates and handlers under test. */
export interface Harness extends AsyncDisposable {
  /** Sends a sample event through gates and inbox. Handlers of an inbox run at the next `drain`. */
  send<const T extends EventType>(type: T, overrides?: Overrides<Omit<EventMap[T], 'type'>>): Promise<Sent>
  /** Delivers what is due now. */
  drain(): Promise<Drained>
  /** Lets time pass and delivers what falls due on the way. */
  advance(ms: number): Promise<Drained>
}

/**
 * The gates and handlers of a webhook around an inbox in memory and a clock that only `advance` moves, with everybody let in. The webhook
 * itself is neither started nor changed. Atomic handlers need their engine's transaction and fail here: test those on a real inbox.
 *
 * @example
 * webhook.on('user.delete.complete', ({ event, signal }) => todos.deleteAll(event.user.id, { signal }))
 * await using t = harness(webhook)
 * const { status } = await t.send('user.delete.complete', { user: { id: '00000000-0000-4000-8000-000000000001' } })
 * const { succeeded } = await t.drain()
 * if (status !== 200 || succeeded !== 1) throw new Error('the todos are still there')
 */
export function harness(webhook: Webhook<Engine | 'none'> | Webhook | Webhook<'none'>): Harness {
  const clock = handClock()
  const opening = webhook[internals].rehearse(memory({ clock }), clock)

  async function deliver(move: (drain: () => Promise<void>) => Promise<void>): Promise<Drained> {
    const { worker } = await opening
    let sum: Drained = { succeeded: 0, retrying: 0, dead: 0, remaining: 0 }
    worker?.start()
    await move(async () => {
      const drained = await worker?.drain(Infinity)
      if (drained !== undefined) sum = add(sum, drained)
    })
    return sum
  }

  return {
    async send(type, overrides) {
      const { receive } = await opening
      const { status, outcome, reason } = await receive(request(type, overrides))
      return { status, outcome, ...(reason !== undefined && { reason }) }
    },
    drain: () => deliver((drain) => drain()),
    advance: (ms) =>
      deliver(async (drain) => {
        await drain()
        await clock.advance(ms, drain)
        await drain()
      }),
    async [Symbol.asyncDispose]() {
      const { worker } = await opening
      await worker?.stop(0)
    },
  }
}

function add(a: Drained, b: Drained): Drained {
  return {
    succeeded: a.succeeded + b.succeeded,
    retrying: a.retrying + b.retrying,
    dead: a.dead + b.dead,
    remaining: b.remaining,
  }
}
