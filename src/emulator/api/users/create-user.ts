import { fields } from '../../fields.ts'
import type { User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import { Problems, type ApiResponse } from '../api-response.ts'
import { newId, type Stamped } from '../resource.ts'
import type { Call } from '../route.ts'
import { tenantOf } from '../tenant-of.ts'
import { composeUser } from './compose-user.ts'
import { checkPassword, plainPassword, putPassword } from './check-password.ts'
import { userEvent } from './user-event.ts'

/** Creates the user of a request, as part of a transaction. Returns a 400 when the request is invalid. */
export function createUser(tx: Transaction, call: Call, id: string | undefined): ApiResponse | User {
  const input = fields(call.body['user'])
  const tenant = tenantOf(call)
  const problems = new Problems()
  const base = stamp(tx, newId(id ?? input['id'], 'user.id', problems))
  if (tx.rows.users.get(base.id) !== undefined) {
    problems.add('user.id', 'duplicate', `A User with the id [${base.id}] already exists.`)
  }
  const mustVerify = fields(tenant['emailConfiguration'])['verifyEmail'] === true
  const verified = !mustVerify || call.body['skipVerification'] === true
  const user = composeUser(tx, { input, base, tenant, verified, problems })
  const password = plainPassword(input)
  if (input['password'] !== undefined) checkPassword(input['password'], 'user.password', problems)
  const refused = problems.answer()
  if (refused !== undefined) return refused
  if (password !== undefined) putPassword(tx, user.id, password)
  tx.rows.users.put(user)
  tx.fire(userEvent('user.create', user, tx.rows))
  return user
}

/** The id and the instants of a new object. */
export function stamp({ now }: Transaction, id: string): Stamped {
  return { id, insertInstant: now, lastUpdateInstant: now }
}

export function isUser(value: ApiResponse | User): value is User {
  return 'tenantId' in value
}
