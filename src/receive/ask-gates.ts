import { missingPath } from '../events/missing-path.ts'
import { codeOf } from '../lib/code-of.ts'
import { describeError } from '../lib/describe-error.ts'
import { withTimeout } from '../lib/with-timeout.ts'
import { FusewireError } from '../model/errors.ts'
import type { RegisteredGate } from '../model/registered-gate.ts'
import { type Answer, denied, failed, misshapen, timedOut } from './answer/answer.ts'
import type { ReceiveContext } from './receive-context.ts'
import type { ReceivedEvent } from './received-event.ts'

type GateContext = Pick<ReceiveContext, 'gates' | 'sink' | 'clock' | 'log'>

/** Asks the gates of the event's type, in order and under one deadline. The first refusal is the answer, and is recorded. */
export function askGates(
  received: ReceivedEvent,
  context: GateContext,
): undefined | Promise<Answer | undefined> {
  const gates = context.gates.get(received.event.type)
  return gates === undefined ? undefined : askOrRefuse(gates, received, context)
}

async function askOrRefuse(
  gates: readonly RegisteredGate[],
  received: ReceivedEvent,
  context: GateContext,
): Promise<Answer | undefined> {
  const missing = missingPath(received.event)
  const refusal = missing === undefined ? await firstRefusal(gates, received, context) : misshapen(missing)
  if (refusal !== undefined) await context.sink.refuse(received, refusal)
  return refusal
}

async function firstRefusal(
  gates: readonly RegisteredGate[],
  received: ReceivedEvent,
  context: GateContext,
): Promise<Answer | undefined> {
  const { type, id } = received.event
  for (const gate of gates) {
    const refusal = await ask(gate, received, context)
    if (refusal === undefined) continue
    if (refusal.outcome === 'denied' || gate.onFailure === 'refuse') return refusal
    const fields = { gate: gate.name, type, id, reason: refusal.reason }
    context.log.warn(fields, 'a gate failed and is configured to allow')
  }
  return undefined
}

/** The refusal of one gate. A gate that fails or takes too long refuses, too. */
async function ask(
  gate: RegisteredGate,
  { event, deadline }: ReceivedEvent,
  { clock }: GateContext,
): Promise<Answer | undefined> {
  const { name, timeoutMs = Infinity } = gate
  const ms = Math.max(0, Math.min(deadline.remainingMs(), timeoutMs))
  const late = () =>
    new FusewireError('FW_GATE_TIMEOUT', `gate ${name} did not decide within ${Math.round(ms)} ms`)
  try {
    const returned = await withTimeout({ ms, clock, late }, (signal) =>
      gate.decide({ event, signal, deadlineAt: deadline.at }),
    )
    const mistake = mistakeIn(returned)
    return mistake === undefined
      ? undefined
      : failed('FW_GATE_RESULT', 'The receiver failed.', `gate ${name} returned ${mistake}`)
  } catch (error) {
    switch (codeOf(error)) {
      case 'FW_DENIED':
        return denied(`gate ${name}: ${describeError(error)}`, `gate ${name} denied the event`)
      case 'FW_GATE_TIMEOUT':
        return timedOut(describeError(error))
      default:
        return failed(
          'failed',
          'The receiver failed.',
          `gate ${name} threw: ${describeError(error)}`,
          `gate ${name} threw`,
        )
    }
  }
}

/**
 * Describes a return value whose author meant a refusal: `false`, or an object that reports failure by `ok: false`, such as an unchecked
 * `Response` of `fetch`. Undefined for every other value, which lets the event pass.
 */
function mistakeIn(returned: unknown): string | undefined {
  if (returned === false) return 'false; a gate refuses by throwing Denied'
  const isFailed =
    typeof returned === 'object' && returned !== null && 'ok' in returned && returned.ok === false
  return isFailed ? 'a value whose ok is false; check it, and throw Denied to refuse' : undefined
}
