import type { Clock } from '../lib/clock.ts'
import { withTimeout } from '../lib/with-timeout.ts'
import { codeOf } from '../lib/code-of.ts'
import { FusewireError } from '../model/errors.ts'
import type { Log } from '../model/log.ts'
import type { RegisteredGate, ParsedEvent } from '../model/registered-handler.ts'
import { type Answer, denied, failed, timedOut } from './answer/answer.ts'
import type { Deadline } from './deadline.ts'
import { describeError } from '../lib/describe-error.ts'

/** Runs the gates in order under one deadline. The first no, in whatever form, is the answer; undefined says all of them let it pass. */
export async function askGates(
  gates: readonly RegisteredGate[],
  event: ParsedEvent,
  deadline: Deadline,
  log: Log,
  clock: Clock,
): Promise<Answer | undefined> {
  for (const one of gates) {
    const answer = await ask(one, event, deadline, clock)
    if (answer === undefined) continue
    const fields = { gate: one.name, type: event.type, id: event.id, reason: answer.reason }
    if (answer.outcome === 'denied' || one.onFailure === 'refuse') return answer
    log.warn(fields, 'a gate failed and is configured to allow')
  }
  return undefined
}

async function ask(
  one: RegisteredGate,
  event: ParsedEvent,
  deadline: Deadline,
  clock: Clock,
): Promise<Answer | undefined> {
  const ms = Math.max(0, Math.min(deadline.remainingMs(), one.timeoutMs ?? Infinity))
  const late = () =>
    new FusewireError('FW_GATE_TIMEOUT', `gate ${one.name} did not decide within ${Math.round(ms)} ms`)
  try {
    const given = await withTimeout({ ms, clock, late }, (signal) =>
      one.decide({ event, signal, deadlineAt: deadline.at }),
    )
    const mistake = mistakeIn(given)
    return mistake === undefined
      ? undefined
      : failed('FW_GATE_RESULT', 'The receiver failed.', `gate ${one.name} returned ${mistake}`)
  } catch (error) {
    switch (codeOf(error)) {
      case 'FW_DENIED':
        return denied(`gate ${one.name}: ${describeError(error)}`, `gate ${one.name} said no`)
      case 'FW_GATE_TIMEOUT':
        return timedOut(describeError(error))
      default:
        return failed(
          'failed',
          'The receiver failed.',
          `gate ${one.name} threw: ${describeError(error)}`,
          `gate ${one.name} threw`,
        )
    }
  }
}

/**
 * Describes a return value whose author meant a no: `false`, or an object that reports failure by `ok: false`, such as an unchecked `Response`
 * of `fetch`. Undefined for every other value, which lets the event pass.
 */
function mistakeIn(given: unknown): string | undefined {
  if (given === false) return 'false; a gate says no by throwing Denied'
  const isFailed = typeof given === 'object' && given !== null && 'ok' in given && given.ok === false
  return isFailed ? 'a value whose ok is false; look at it, and throw Denied to say no' : undefined
}
