import { randomUUID } from 'node:crypto'
import { fields, text, texts, type Fields } from '../../json.ts'
import type { Registration, User } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import { merge } from '../../merge.ts'
import { missing, ok, Problems } from '../answer.ts'
import { change } from '../change.ts'
import { newId } from '../resource.ts'
import { get, patch, post, put, remove, type Call, type Route } from '../route.ts'
import { newCode } from './codes.ts'
import { createUser, isUser } from './create.ts'
import { applicationOf, userOf } from './lookup.ts'
import { registrationFor } from './registered.ts'
import { aboutRegistration, shownUser } from './shown.ts'
import { accessToken } from './access-token.ts'

/** Reads a registration. Without roles it has the application's default ones. */
export function registrationOf(
  draft: Draft,
  call: Call,
  input: Fields,
  { before, problems }: { before?: Registration | undefined; problems: Problems },
): Registration {
  const application = applicationOf(call, draft.rows, input['applicationId'], 'registration.applicationId')
  const defaults = application.roles.filter((role) => role.isDefault === true).map((role) => role.name)
  const unverified =
    application['verifyRegistration'] === true && call.body['skipRegistrationVerification'] !== true
  return {
    ...input,
    id: before?.id ?? newId(input['id'], 'registration.id', problems),
    applicationId: application.id,
    data: fields(input['data']),
    insertInstant: before?.['insertInstant'] ?? draft.now,
    lastUpdateInstant: draft.now,
    preferredLanguages: texts(input['preferredLanguages']),
    roles: Array.isArray(input['roles']) ? texts(input['roles']).toSorted() : defaults.toSorted(),
    usernameStatus: 'ACTIVE',
    verified: before?.verified ?? !unverified,
    ...(call.body['generateAuthenticationToken'] === true && { authenticationToken: randomUUID() }),
  }
}

/** Puts a registration in the place of the user's one for the same application. */
export function withRegistration(draft: Draft, user: User, registration: Registration): User {
  const others = user.registrations.filter((one) => one.applicationId !== registration.applicationId)
  const registered: User = { ...user, registrations: [...others, registration], lastUpdateInstant: draft.now }
  draft.rows.users.put(registered)
  return registered
}

/** Registers a user that exists, or creates user and registration in one transaction. */
function register(call: Call) {
  return change(call, (draft) => {
    const problems = new Problems()
    const userId = call.params['userId'] ?? text(fields(call.body['user'])['id'])
    const existing = userId === undefined ? undefined : draft.rows.users.get(userId.toLowerCase())
    if (existing === undefined && call.body['user'] === undefined) throw missing()
    const user = existing === undefined ? createUser(draft, call, userId) : userOf(call, draft.rows, userId)
    if (!isUser(user)) return user
    const registration = registrationOf(draft, call, fields(call.body['registration']), { problems })
    const { applicationId } = registration
    if (registrationFor(user, applicationId) !== undefined) {
      problems.add(
        'registration.applicationId',
        'duplicate',
        'The User is already registered for this Application.',
      )
    }
    problems.throwIfAny()
    const registered = withRegistration(draft, user, registration)
    draft.fire(aboutRegistration('user.registration.create', registered, registration, draft.rows))
    return ok({
      registration,
      user: shownUser(registered, draft.rows),
      ...(existing === undefined && accessToken(call, registered, applicationId, draft.now)),
      ...(!registration.verified && {
        registrationVerificationId: newCode(draft, registered, {
          purpose: 'verify registration',
          applicationId,
        }),
      }),
    })
  })
}

function update(call: Call) {
  return change(call, (draft) => {
    const user = userOf(call, draft.rows)
    const given = fields(call.body['registration'])
    const { id } = applicationOf(call, draft.rows, given['applicationId'], 'registration.applicationId')
    const original = registrationFor(user, id)
    if (original === undefined) throw missing()
    const problems = new Problems()
    const input = call.method === 'PATCH' ? merge(original, given) : given
    const registration = registrationOf(draft, call, input, { before: original, problems })
    const registered = withRegistration(draft, user, registration)
    draft.fire(
      aboutRegistration('user.registration.update', registered, registration, draft.rows, { original }),
    )
    return ok({ registration, user: shownUser(registered, draft.rows) })
  })
}

function removeOne(call: Call) {
  return change(call, (draft) => {
    const before = userOf(call, draft.rows)
    const registration = registrationFor(before, call.params['applicationId'])
    if (registration === undefined) throw missing()
    const registrations = before.registrations.filter((one) => one !== registration)
    const user: User = { ...before, registrations, lastUpdateInstant: draft.now }
    draft.rows.users.put(user)
    draft.fire(aboutRegistration('user.registration.delete', user, registration, draft.rows))
    return ok()
  })
}

function retrieve(call: Call) {
  const registration = registrationFor(userOf(call, call.world.rows), call.params['applicationId'])
  if (registration === undefined) throw missing()
  return ok({ registration })
}

export const registrations: readonly Route[] = [
  post('/api/user/registration/:userId?', register),
  put('/api/user/registration/:userId', update),
  patch('/api/user/registration/:userId', update),
  get('/api/user/registration/:userId/:applicationId', retrieve),
  remove('/api/user/registration/:userId/:applicationId', removeOne),
]
