import { asList } from '../lib/one-or-more.ts'
import { canonicalId } from '../model/canonical-id.ts'
import { wrongOption } from '../model/errors.ts'
import { type Filter, type State, states } from '../model/filter.ts'

/** The filter with canonical ids and without undefined members. Throws FW_OPTION when a value or a combination is invalid. */
export function checkFilter(where: Filter): Filter {
  const { type, tenantId, userId, id, handler, state, receivedAfter, receivedBefore, errorText } = where
  if (state !== undefined) checkStates(asList(state))
  return {
    ...(type !== undefined && { type }),
    ...(tenantId !== undefined && { tenantId: checkId('tenantId', tenantId) }),
    ...(userId !== undefined && { userId: checkId('userId', userId) }),
    ...(id !== undefined && { id: checkId('id', id) }),
    ...(handler !== undefined && { handler }),
    ...(state !== undefined && { state }),
    ...(receivedAfter !== undefined && { receivedAfter: checkInstant('receivedAfter', receivedAfter) }),
    ...(receivedBefore !== undefined && { receivedBefore: checkInstant('receivedBefore', receivedBefore) }),
    ...(errorText !== undefined && errorText !== '' && { errorText }),
  }
}

/** The states of events that were set aside. The engines store those events in tables of their own. */
const setAside: readonly State[] = ['conflict', 'stale', 'quarantined']

function checkStates(wanted: readonly State[]): void {
  if (!wanted.every((one) => states.includes(one))) {
    throw wrongOption('state', `state must be one of ${states.join(', ')}.`)
  }
  const aside = wanted.filter((one) => setAside.includes(one))
  if (aside.length > 0 && aside.length < wanted.length) {
    throw wrongOption(
      'state',
      `${setAside.join(', ')} cannot be combined with other states: query them separately.`,
    )
  }
}

/** The canonical id. */
export function checkId(name: string, id: string): string {
  if (typeof id === 'string' && id !== '') return canonicalId(id)
  throw wrongOption(name, `${name} must be an id, and not empty.`)
}

export function checkInstant(name: string, at: number): number {
  if (Number.isFinite(at)) return at
  throw wrongOption(name, `${name} must be an instant: ms since 1970, or a valid Date.`)
}

export function checkPageLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 500) return limit
  throw wrongOption('limit', 'limit must be a whole number from 1 to 500.')
}
