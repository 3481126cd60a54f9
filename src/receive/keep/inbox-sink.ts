import { isTransactional } from '../../events/catalogue.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError } from '../../lib/describe-error.ts'
import { withTimeout } from '../../lib/with-timeout.ts'
import type { Engine } from '../../model/engine.ts'
import { codeOf } from '../../lib/code-of.ts'
import { silentInbox } from '../../model/errors.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { Log } from '../../model/log.ts'
import type { ReceivedEvent, EventSink } from './received-event.ts'
import { type Answer, duplicate, handled, kept, unavailable } from '../answer/answer.ts'
import { AppendQueue, type AppendResult } from './append-queue.ts'
import { toArrival, bodyHash } from './to-arrival.ts'
import { createRedactor, type Redaction } from './redactor.ts'

/** What of the events is kept. */
export interface KeepPolicy {
  readonly redaction: Redaction
  /** Also those that no handler asks for. */
  readonly keepAll: boolean
}

/**
 * From this size on an event is looked up before it is appended: on PostgreSQL a look takes 2 to 4 ms, and sending a copy of what is
 * already there 13 ms for 256 KiB, 97 ms for a MiB, 2 s for 30.
 */
const lookFirstFromBytes = 256 * 1024
/** What a look at the inbox may take of a large event that arrived so slowly, or was parsed so slowly, that no time is left. */
const lookMs = 500

/** With an inbox: the event is durable before the answer, and everything else happens after it. */
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

  async function recall({ event, key, body, deadline }: ReceivedEvent): Promise<Answer | undefined> {
    const remainingMs = deadline.remainingMs()
    const ms = isLarge(body) ? Math.max(lookMs, remainingMs) : remainingMs
    const options = { ms, clock, late: silentInbox }
    try {
      const [known] = await withTimeout(options, () => engine.known([{ key, hash: bodyHash(body) }]))
      if (known === true) return duplicate
      const hasRoom =
        engine.hasRoom === undefined || (await withTimeout(options, async () => engine.hasRoom?.(event.type)))
      if (hasRoom !== false) return undefined
      noteFull(event.type)
      return answers.full // Before a gate acts on what cannot be kept.
    } catch (error) {
      if (codeOf(error) === 'FW_INBOX_SILENT') return unavailable('the inbox did not answer in time')
      log.error({ error: describeError(error) }, 'the inbox does not answer')
      return unavailable('the inbox is down')
    }
  }

  /** Without room for a transactional event there is room for none: answer 503 before reading bodies for one second, then try again. */
  function noteFull(type: string): void {
    if (isTransactional(type)) fullUntil = clock.now() + 1_000
  }

  async function push(arrival: Arrival, { event, deadline }: ReceivedEvent): Promise<AppendResult> {
    const outcome = await queue.push(arrival, deadline)
    const { type, id } = event
    if (outcome === 'conflict') {
      log.error(
        { type, id },
        'two events with one id and different bodies; the second is kept without deliveries',
      )
    }
    if (outcome === 'stale') {
      log.warn({ type, id }, 'an event is older than what the inbox remembers; it is kept without deliveries')
    }
    if (outcome === 'quarantined') {
      log.error(
        { type, id },
        'the inbox could not store an event as it is; its bytes are kept without deliveries',
      )
    }
    return outcome
  }

  function ifUnwanted(type: string): Pick<Arrival, 'ifUnwanted'> {
    if (keepAll) return {}
    return { ifUnwanted: gated(type) ? 'key' : 'nothing' }
  }

  return {
    closed: () => queue.closed() ?? (clock.now() < fullUntil ? 'the inbox is full' : undefined),
    // Without a gate nothing has to be known before the append, which finds duplicates itself: unless they are large.
    recall: (accepted) =>
      gated(accepted.event.type) || isLarge(accepted.body) ? recall(accepted) : undefined,
    async accept(accepted) {
      const { type } = accepted.event
      const outcome = await push({ ...toArrival(accepted, redact), ...ifUnwanted(type) }, accepted)
      if (outcome === 'full') noteFull(type)
      return answers[outcome]
    },
    /** FusionAuth is told no either way; that the inbox remembers it is worth an attempt. */
    async refuse(accepted, { reason }) {
      await push({ ...toArrival(accepted, redact), refused: reason ?? 'refused' }, accepted)
    },
    stop: () => queue.stop(),
  }
}

function isLarge({ bytes }: ReceivedEvent['body']): boolean {
  return bytes.length >= lookFirstFromBytes
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
