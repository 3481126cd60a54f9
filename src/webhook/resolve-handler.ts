import { canonicalType, isTransactional, isEventType } from '../events/catalogue.ts'
import { longestMs } from '../lib/clock.ts'
import { asList, type OneOrMore } from '../lib/one-or-more.ts'
import { FusewireError } from '../model/errors.ts'
import { canonicalId } from '../model/canonical-id.ts'
import type { RegisteredGate } from '../model/registered-gate.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'

/** Gate options as they may really come, from JavaScript too. */
export interface GivenGate {
  name?: string
  timeoutMs?: number
  onFailure?: 'refuse' | 'allow'
}

/** Handler options as they may really come, from JavaScript too. */
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

/** Checks a gate's types and options and resolves its defaults. */
export function resolveGate(
  types: readonly string[],
  options: GivenGate,
  decide: (context: never) => unknown,
): RegisteredGate {
  if (types.length === 0) throw option('gate([]): name the types it decides about.')
  for (const type of types) {
    if (isTransactional(type)) continue
    throw option(
      type.endsWith('.complete') || isEventType(type)
        ? `gate('${type}'): FusionAuth sends this event when it has already happened; nothing can refuse it. Use on().`
        : `gate('${type}'): there is no such transactional type. fusewire events lists them.`,
    )
  }
  const label = `gate('${types.join("', '")}')`
  checkFunction(label, decide)
  checkMs(label, options.timeoutMs)
  checkOneOf(label, 'onFailure', options.onFailure, ['refuse', 'allow'])
  return {
    name: options.name ?? types.join(' '),
    onFailure: options.onFailure ?? 'refuse',
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    decide: decide as RegisteredGate['decide'], // Called with events of `types` only, which is what `decide` is typed for.
  }
}

/** Checks a handler's types and options and resolves its defaults. */
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
  checkFunction(label, handle)
  if (types.length === 0) throw option(`${label}: name the types it listens to.`)
  checkWhen(label, types, options.when)
  checkMs(label, options.timeoutMs)
  checkOneOf(label, 'ordering', options.ordering, ['lane', 'none'])
  for (const filter of ['tenantId', 'applicationId'] as const) {
    if (!Object.hasOwn(options, filter) || options[filter] !== undefined) continue
    throw option(`${label}: ${filter} is undefined, which would mean all. Give it an id, or leave it out.`)
  }
  const { maxAttempts, tenantId, applicationId, timeoutMs, where } = options
  if (where !== undefined && typeof where !== 'function') throw option(`${label}: where must be a function.`)
  if (maxAttempts !== undefined && !(Number.isInteger(maxAttempts) && maxAttempts >= 1)) {
    throw option(`${label}: maxAttempts must be a whole number from 1.`)
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
    // Both are only called with events of `types`, which is what they are typed for.
    ...(where !== undefined && { where: where as NonNullable<RegisteredHandler['where']> }),
    handle: handle as RegisteredHandler['handle'],
  }
}

function checkWhen(label: string, types: readonly string[] | '*', when: unknown): void {
  if (when === 'committed') {
    throw option(
      `${label}: when: 'committed' is not there yet. Listen to the .complete type, or say when: 'received'.`,
    )
  }
  const revocable = types === '*' || types.some((type) => isTransactional(type) || !isEventType(type))
  if (revocable && when !== 'received') {
    throw option(
      `${label}: FusionAuth can still roll back ${types === '*' ? 'some of these events' : types.join(', ')}. Say when: 'received' to run regardless, or listen to the .complete type.`,
    )
  }
  if (!revocable && when !== undefined) {
    throw option(`${label}: when is for transactional types; these are sent once they have happened.`)
  }
}

function checkMs(label: string, ms: number | undefined): void {
  if (ms === undefined || (ms > 0 && ms <= longestMs)) return
  throw option(`${label}: timeoutMs must be milliseconds above 0, at most ${longestMs}.`)
}

/** A misspelt word must not fall to the other side. */
function checkOneOf(label: string, name: string, given: string | undefined, words: readonly string[]): void {
  if (given === undefined || words.includes(given)) return
  throw option(`${label}: ${name} must be '${words.join("' or '")}'.`)
}

function checkFunction(label: string, value: unknown): void {
  if (typeof value !== 'function') throw option(`${label}: the last argument must be a function.`)
}

function idsOf(label: string, name: string, ids: OneOrMore<string>): readonly string[] {
  const list = asList(ids)
  if (list.length > 0 && list.every((id) => typeof id === 'string' && id !== '')) return list
  throw option(`${label}: ${name} must be an id or a list of ids; leave it out to listen to all.`)
}

function option(message: string): FusewireError {
  return new FusewireError('FW_OPTION', message)
}
