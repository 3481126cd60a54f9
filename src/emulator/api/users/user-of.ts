import { word } from '../../fields.ts'
import type { Application, User } from '../../state/tables.ts'
import type { ReadableTables } from '../../state/store.ts'
import { notFoundError, Problems } from '../api-response.ts'
import type { Call } from '../route.ts'
import { requireVisible, tenantOf } from '../tenant-of.ts'
import { userByLoginId } from './user-by-login-id.ts'

/** The user of this id, or 404. */
export function userOf(call: Call, rows: ReadableTables, id: unknown = call.params['userId']): User {
  return requireVisible(call, typeof id === 'string' ? rows.users.get(id.toLowerCase()) : undefined)
}

/** The user of this login id in the call's tenant, or none. */
export function userOfLoginId(
  call: Call,
  rows: ReadableTables,
  loginId: unknown,
  types?: readonly string[],
): User | undefined {
  if (typeof loginId !== 'string') return undefined
  return userByLoginId(rows, tenantOf(call).id, loginId, types)
}

/** The application of this id; a 400 on `field` when there is none. */
export function applicationOf(call: Call, rows: ReadableTables, id: unknown, field: string): Application {
  const application = typeof id === 'string' ? rows.applications.get(id.toLowerCase()) : undefined
  const problems = new Problems()
  if (id === undefined || id === null) problems.blank(field)
  else if (application === undefined) {
    problems.add(field, 'invalid', `There is no Application with the id [${word(id)}].`)
  }
  problems.throwIfAny()
  if (application === undefined) throw notFoundError()
  return requireVisible(call, application)
}
