import { isEventType, isTransactional } from '../events/catalogue.ts'
import { wrongOption } from '../model/errors.ts'
import type { RegisteredGate } from '../model/registered-gate.ts'
import { checkChoice } from './check-choice.ts'
import { checkFunction } from './check-function.ts'
import { checkTimeout } from './check-timeout.ts'

/** The options of `gate` as a JavaScript program may give them. */
export interface GivenGate {
  name?: string
  timeoutMs?: number
  onFailure?: 'refuse' | 'allow'
}

/**
 * Checks a gate's types and options and fills in the defaults.
 *
 * @throws FW_OPTION
 */
export function resolveGate(
  types: readonly string[],
  options: GivenGate,
  decide: (context: never) => unknown,
): RegisteredGate {
  if (types.length === 0) throw wrongOption('type', 'gate([]): name the types it decides about.')
  for (const type of types) {
    if (isTransactional(type)) continue
    throw wrongOption(
      'type',
      type.endsWith('.complete') || isEventType(type)
        ? `gate('${type}'): FusionAuth sends this event after it has happened; nothing can refuse it. Use on().`
        : `gate('${type}'): there is no such transactional type. fusewire events lists them.`,
    )
  }
  const label = `gate('${types.join("', '")}')`
  checkFunction(label, 'decide', decide)
  checkTimeout(label, options.timeoutMs)
  checkChoice(label, 'onFailure', options.onFailure, ['refuse', 'allow'])
  return {
    name: options.name ?? types.join(' '),
    onFailure: options.onFailure ?? 'refuse',
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    decide: decide as RegisteredGate['decide'], // Called only with events of `types`, for which it is typed.
  }
}
