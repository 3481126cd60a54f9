import { canonicalType, isEventType, isTransactional } from '../events/catalogue.ts'
import { asList, type OneOrMore } from '../lib/one-or-more.ts'
import { canonicalId } from '../model/canonical-id.ts'
import { FusewireError, wrongOption } from '../model/errors.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import { checkChoice } from './check-choice.ts'
import { checkFunction } from './check-function.ts'
import { checkTimeout } from './check-timeout.ts'

/** The options of `on` as a JavaScript program may give them: any combination. */
export interface GivenHandler {
  name?: string
  when?: 'received' | 'committed'
  timeoutMs?: number
  tenantId?: OneOrMore<string>
  applicationId?: OneOrMore<string>
  where?: (event: never) => boolean
  maxAttempts?: number
  ordering?: 'lane' | 'none'
  atomic?: boolean
}

/**
 * Checks a handler's types and options and fills in the defaults.
 *
 * @throws FW_HANDLER_NAME without a usable name; FW_OPTION.
 */
export function resolveHandler(
  given: OneOrMore<string>,
  options: GivenHandler,
  handle: (context: never) => unknown,
): RegisteredHandler {
  const types = given === '*' ? given : asList(given).map(canonicalType)
  const name = options.name ?? (typeof given === 'string' && given !== '*' ? given : undefined)
  if (name === undefined || !/^[\x21-\x7e][\x20-\x7e]{0,127}$/.test(name)) {
    throw new FusewireError(
      'FW_HANDLER_NAME',
      `on(${JSON.stringify(given)}): give it a name of 1 to 128 printable characters that stays the same from deploy to deploy: { name: '…' }.`,
    )
  }
  const label = `on handler ${name}`
  checkFunction(label, 'handle', handle)
  if (types.length === 0) throw wrongOption('type', `${label}: name the types it listens to.`)
  checkWhen(label, types, options.when)
  checkTimeout(label, options.timeoutMs)
  checkChoice(label, 'ordering', options.ordering, ['lane', 'none'])
  for (const filter of ['tenantId', 'applicationId'] as const) {
    if (!Object.hasOwn(options, filter) || options[filter] !== undefined) continue
    throw wrongOption(
      filter,
      `${label}: ${filter} is undefined, which would mean all. Give it an id, or leave it out.`,
    )
  }
  const { maxAttempts, tenantId, applicationId, timeoutMs, where } = options
  if (where !== undefined && typeof where !== 'function')
    throw wrongOption('where', `${label}: where must be a function.`)
  if (maxAttempts !== undefined && !(Number.isInteger(maxAttempts) && maxAttempts >= 1)) {
    throw wrongOption('maxAttempts', `${label}: maxAttempts must be a whole number from 1.`)
  }
  return {
    name,
    types,
    ordering: options.ordering ?? 'lane',
    atomic: options.atomic === true,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(tenantId !== undefined && { tenantIds: idsOf(label, 'tenantId', tenantId).map(canonicalId) }),
    ...(applicationId !== undefined && {
      applicationIds: idsOf(label, 'applicationId', applicationId).map((id) => id.toLowerCase()),
    }),
    // Both are called only with events of `types`, for which they are typed.
    ...(where !== undefined && { where: where as NonNullable<RegisteredHandler['where']> }),
    handle: handle as RegisteredHandler['handle'],
  }
}

function checkWhen(label: string, types: readonly string[] | '*', when: unknown): void {
  if (when === 'committed') {
    throw wrongOption(
      'when',
      `${label}: when: 'committed' is not implemented yet. Listen to the .complete type, or say when: 'received'.`,
    )
  }
  const revocable = types === '*' || types.some((type) => isTransactional(type) || !isEventType(type))
  if (revocable && when !== 'received') {
    throw wrongOption(
      'when',
      `${label}: FusionAuth can still roll back ${types === '*' ? 'some of these events' : types.join(', ')}. Say when: 'received' to run regardless, or listen to the .complete type.`,
    )
  }
  if (!revocable && when !== undefined) {
    throw wrongOption(
      'when',
      `${label}: when is for transactional types; these are sent once they have happened.`,
    )
  }
}

function idsOf(label: string, name: string, ids: OneOrMore<string>): readonly string[] {
  const list = asList(ids)
  if (list.length > 0 && list.every((id) => typeof id === 'string' && id !== '')) return list
  throw wrongOption(name, `${label}: ${name} must be an id or a list of ids; leave it out to listen to all.`)
}
