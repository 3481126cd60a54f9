import { word } from '../../json.ts'
import type { Application, User } from '../../state/rows.ts'
import type { Reading } from '../../state/store.ts'
import { missing, Problems } from '../answer.ts'
import type { Call } from '../route.ts'
import { found, tenantOf } from '../tenancy.ts'
import { userByLoginId } from './compose.ts'

/** The user of this id, or 404. */
export function userOf(call: Call, rows: Reading, id: unknown = call.params['userId']): User {
  return found(call, typeof id === 'string' ? rows.users.get(id.toLowerCase()) : undefined)
}

/** The user of this login id in the call's tenant, or none. */
export function userNamed(
  call: Call,
  rows: Reading,
  loginId: unknown,
  types?: readonly string[],
): User | undefined {
  if (typeof loginId !== 'string') return undefined
  return userByLoginId(rows, tenantOf(call).id, loginId, types)
}

/** The application of this id; a 400 on `field` when there is none. */
export function applicationOf(call: Call, rows: Reading, id: unknown, field: string): Application {
  const application = typeof id === 'string' ? rows.applications.get(id.toLowerCase()) : undefined
  const problems = new Problems()
  if (id === undefined || id === null) problems.blank(field)
  else if (application === undefined) {
    problems.add(field, 'invalid', `There is no Application with the id [${word(id)}].`)
  }
  problems.throwIfAny()
  if (application === undefined) throw missing()
  return found(call, application)
}
