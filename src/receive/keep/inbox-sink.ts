import { isTransactional } from '../../events/catalogue.ts'
import type { Clock } from '../../lib/clock.ts'
import { codeOf } from '../../lib/code-of.ts'
import { describeError } from '../../lib/describe-error.ts'
import { withTimeout } from '../../lib/with-timeout.ts'
import type { Engine } from '../../model/engine.ts'
import { silentInbox } from '../../model/errors.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { Log } from '../../model/log.ts'
import { type Answer, duplicate, handled, kept, unavailable } from '../answer/answer.ts'
import type { ReceivedEvent } from '../received-event.ts'
import { AppendQueue, type AppendResult } from './append-queue.ts'
import type { EventSink } from './event-sink.ts'
import type { KeepPolicy } from './keep-policy.ts'
import { createRedactor } from './redactor.ts'
import { bodyHash, toArrival } from './to-arrival.ts'

/**
 * From this size on the inbox is asked whether it knows the event before its bytes are sent: on PostgreSQL the question takes 2 to 4 ms,
 * sending the bytes of a copy 13 ms for 256 KiB, 97 ms for 1 MiB and 2 s for 30 MiB.
 */
const askFirstFromBytes = 256 * 1024
/** At least this time for that question: a large event may have used up its deadline before it was parsed. */
const askWithinMs = 500
/** How long events are answered 503 after the inbox had no space. */
const fullForMs = 1_000

/** Appends events to an inbox: an event is durable before it is answered 200, and handlers run afterwards. */
export function createInboxSink(
  engine: Engine,
  gated: (type: string) => boolean,
  { redaction, keepAll }: KeepPolicy,
  clock: Clock,
  log: Log,
): EventSink {
  const redact = createRedactor(redaction)
  const queue = new AppendQueue(engine, clock, log)
  let fullUntil = -Infinity

  async function askInbox({ event, key, body, deadline }: ReceivedEvent): Promise<Answer | undefined> {
    const remainingMs = deadline.remainingMs()
    const ms = isLarge(body) ? Math.max(askWithinMs, remainingMs) : remainingMs
    const options = { ms, clock, late: silentInbox }
    try {
      const [known] = await withTimeout(options, () => engine.known([{ key, hash: bodyHash(body) }]))
      if (known === true) return duplicate
      const hasRoom =
        engine.hasRoom === undefined || (await withTimeout(options, async () => engine.hasRoom?.(event.type)))
      if (hasRoom !== false) return undefined
      noteFull(event.type)
      return answers.full // Before a gate changes other systems because of an event that cannot be stored.
    } catch (error) {
      if (codeOf(error) === 'FW_INBOX_SILENT') return unavailable('the inbox did not answer in time')
      log.error({ error: describeError(error) }, 'the inbox does not answer')
      return unavailable('the inbox is down')
    }
  }

  /** Space that a transactional event does not find, no event finds: answer 503 before reading bodies, then try again. */
  function noteFull(type: string): void {
    if (isTransactional(type)) fullUntil = clock.now() + fullForMs
  }

  async function append(arrival: Arrival, { event, deadline }: ReceivedEvent): Promise<AppendResult> {
    const result = await queue.push(arrival, deadline)
    const { type, id } = event
    if (result === 'conflict') {
      log.error(
        { type, id },
        'two events with one id and different bodies; the second is kept without deliveries',
      )
    }
    if (result === 'stale') {
      log.warn({ type, id }, 'an event is older than what the inbox remembers; it is kept without deliveries')
    }
    if (result === 'quarantined') {
      log.error(
        { type, id },
        'the inbox could not store an event as it is; its bytes are kept without deliveries',
      )
    }
    return result
  }

  function ifUnwanted(type: string): Pick<Arrival, 'ifUnwanted'> {
    if (keepAll) return {}
    return { ifUnwanted: gated(type) ? 'key' : 'nothing' }
  }

  return {
    closed: () => queue.closed() ?? (clock.now() < fullUntil ? 'the inbox is full' : undefined),
    // A small event without a gate is not looked up: the append itself finds duplicates.
    findKnown: (received) =>
      gated(received.event.type) || isLarge(received.body) ? askInbox(received) : undefined,
    async accept(received) {
      const { type } = received.event
      const result = await append({ ...toArrival(received, redact), ...ifUnwanted(type) }, received)
      if (result === 'full') noteFull(type)
      return answers[result]
    },
    /** Whatever comes of this append, the answer stays the gate's refusal. */
    async refuse(received, { reason }) {
      await append({ ...toArrival(received, redact), refused: reason ?? 'refused' }, received)
    },
    stop: () => queue.stop(),
  }
}

function isLarge({ bytes }: ReceivedEvent['body']): boolean {
  return bytes.length >= askFirstFromBytes
}

const answers: Readonly<Record<AppendResult, Answer>> = {
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
