import { isTransactional } from '../events/catalogue.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Engine } from '../model/engine.ts'
import type { EventKey } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import type { Keeper } from './accepted.ts'
import { type Answer, duplicate, handled, kept, unavailable } from './answer.ts'
import { AppendQueue, type Pushed } from './append-queue.ts'
import { arrivalOf } from './arrival.ts'
import { redacting, type Redaction } from './redact.ts'

/** What of the events is kept. */
export interface Privacy {
  readonly redaction: Redaction
  /** Also those that no handler asks for. */
  readonly keepAll: boolean
}

/** With an inbox: the event is durable before the answer, and everything else happens after it. */
export function keep(
  engine: Engine,
  gated: (type: string) => boolean,
  { redaction, keepAll }: Privacy,
  clock: Clock,
  log: Log,
): Keeper {
  const redact = redacting(redaction)
  const queue = new AppendQueue(engine, clock, log)
  let fullUntil = -Infinity

  async function recall(key: EventKey): Promise<Answer | undefined> {
    try {
      const [known] = await engine.known([key])
      return known === true ? duplicate : undefined
    } catch (error) {
      log.error({ error: describeError(error) }, 'the inbox does not answer')
      return unavailable('the inbox is down')
    }
  }

  return {
    closed: () => queue.closed() ?? (clock.now() < fullUntil ? 'the inbox is full' : undefined),
    // Without a gate nothing has to be known before the append, which finds duplicates itself.
    recall: ({ event, key }) => (gated(event.type) ? recall(key) : undefined),
    async keep(accepted) {
      const arrival = arrivalOf(accepted, redact)
      const outcome = await queue.push(
        keepAll ? arrival : { ...arrival, onlyIfWanted: true },
        accepted.deadline,
      )
      const { type, id } = accepted.event
      if (outcome === 'conflict') {
        log.error(
          { type, id },
          'two events with one id and different bodies; the second is kept without deliveries',
        )
      }
      if (outcome === 'stale') {
        log.warn(
          { type, id },
          'an event is older than what the inbox remembers; it is kept without deliveries',
        )
      }
      if (outcome === 'quarantined') {
        log.error(
          { type, id },
          'the inbox could not store an event as it is; its bytes are kept without deliveries',
        )
      }
      // Then there is room for nobody, and no gate must act on what cannot be kept; a second later one request asks again.
      if (outcome === 'full' && isTransactional(type)) fullUntil = clock.now() + 1_000
      return answers[outcome]
    },
    /** FusionAuth is told no either way; that the inbox remembers it is worth an attempt. */
    async refuse(accepted, { reason }) {
      await queue.push({ ...arrivalOf(accepted, redact), refused: reason ?? 'refused' }, accepted.deadline)
    },
    stop: () => queue.stop(),
  }
}

const answers: Readonly<Record<Pushed, Answer>> = {
  stored: kept,
  conflict: kept,
  stale: kept,
  unwanted: handled,
  full: unavailable('the inbox is full'),
  quarantined: kept,
  duplicate,
  failed: unavailable('the inbox is down'),
  late: unavailable('the inbox did not answer in time; it may yet keep the event'),
}
