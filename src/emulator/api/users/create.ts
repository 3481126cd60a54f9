import { fields } from '../../json.ts'
import type { User } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import { Problems, type Answer } from '../answer.ts'
import { newId, type Stamped } from '../resource.ts'
import type { Call } from '../route.ts'
import { tenantOf } from '../tenancy.ts'
import { composeUser } from './compose.ts'
import { checkPassword, plainPassword, putPassword } from './password.ts'
import { aboutUser } from './shown.ts'

/** Creates the user a request describes, as part of a change. Returns the 400 if it cannot. */
export function createUser(draft: Draft, call: Call, id: string | undefined): Answer | User {
  const input = fields(call.body['user'])
  const tenant = tenantOf(call)
  const problems = new Problems()
  const base = stamp(draft, newId(id ?? input['id'], 'user.id', problems))
  if (draft.rows.users.get(base.id) !== undefined) {
    problems.add('user.id', 'duplicate', `A User with the id [${base.id}] already exists.`)
  }
  const mustVerify = fields(tenant['emailConfiguration'])['verifyEmail'] === true
  const verified = !mustVerify || call.body['skipVerification'] === true
  const user = composeUser(draft, { input, base, tenant, verified, problems })
  const password = plainPassword(input)
  if (input['password'] !== undefined) checkPassword(input['password'], 'user.password', problems)
  const refused = problems.answer()
  if (refused !== undefined) return refused
  if (password !== undefined) putPassword(draft, user.id, password)
  draft.rows.users.put(user)
  draft.fire(aboutUser('user.create', user, draft.rows))
  return user
}

/** The id and the instants of something new. */
export function stamp({ now }: Draft, id: string): Stamped {
  return { id, insertInstant: now, lastUpdateInstant: now }
}

export function isUser(value: Answer | User): value is User {
  return 'tenantId' in value
}
