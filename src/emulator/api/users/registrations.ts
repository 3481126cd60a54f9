import { fields, text } from '../../fields.ts'
import type { User } from '../../state/tables.ts'
import { merge } from '../../merge.ts'
import { notFoundError, ok, Problems } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { get, patch, post, put, remove, type Call, type Route } from '../route.ts'
import { createCode } from './create-code.ts'
import { createUser, isUser } from './create-user.ts'
import { applicationOf, userOf } from './user-of.ts'
import { readRegistration, withRegistration } from './read-registration.ts'
import { registrationFor } from './registration-for.ts'
import { registrationEvent } from './user-event.ts'
import { shownUser } from './shown-user.ts'
import { accessToken } from './access-token.ts'

/** Registers a user that exists, or creates user and registration in one transaction. */
function register(call: Call) {
  return inTransaction(call, (tx) => {
    const problems = new Problems()
    const userId = call.params['userId'] ?? text(fields(call.body['user'])['id'])
    const existing = userId === undefined ? undefined : tx.rows.users.get(userId.toLowerCase())
    if (existing === undefined && call.body['user'] === undefined) throw notFoundError()
    const user = existing === undefined ? createUser(tx, call, userId) : userOf(call, tx.rows, userId)
    if (!isUser(user)) return user
    const registration = readRegistration(tx, call, fields(call.body['registration']), { problems })
    const { applicationId } = registration
    if (registrationFor(user, applicationId) !== undefined) {
      problems.add(
        'registration.applicationId',
        'duplicate',
        'The User is already registered for this Application.',
      )
    }
    problems.throwIfAny()
    const registered = withRegistration(tx, user, registration)
    tx.fire(registrationEvent('user.registration.create', registered, registration, tx.rows))
    return ok({
      registration,
      user: shownUser(registered, tx.rows),
      ...(existing === undefined && accessToken(call, registered, applicationId, tx.now)),
      ...(!registration.verified && {
        registrationVerificationId: createCode(tx, registered, {
          purpose: 'verify registration',
          applicationId,
        }),
      }),
    })
  })
}

function update(call: Call) {
  return inTransaction(call, (tx) => {
    const user = userOf(call, tx.rows)
    const given = fields(call.body['registration'])
    const { id } = applicationOf(call, tx.rows, given['applicationId'], 'registration.applicationId')
    const original = registrationFor(user, id)
    if (original === undefined) throw notFoundError()
    const problems = new Problems()
    const input = call.method === 'PATCH' ? merge(original, given) : given
    const registration = readRegistration(tx, call, input, { before: original, problems })
    const registered = withRegistration(tx, user, registration)
    tx.fire(registrationEvent('user.registration.update', registered, registration, tx.rows, { original }))
    return ok({ registration, user: shownUser(registered, tx.rows) })
  })
}

function removeOne(call: Call) {
  return inTransaction(call, (tx) => {
    const before = userOf(call, tx.rows)
    const registration = registrationFor(before, call.params['applicationId'])
    if (registration === undefined) throw notFoundError()
    const registrations = before.registrations.filter((one) => one !== registration)
    const user: User = { ...before, registrations, lastUpdateInstant: tx.now }
    tx.rows.users.put(user)
    tx.fire(registrationEvent('user.registration.delete', user, registration, tx.rows))
    return ok()
  })
}

function retrieve(call: Call) {
  const registration = registrationFor(userOf(call, call.state.rows), call.params['applicationId'])
  if (registration === undefined) throw notFoundError()
  return ok({ registration })
}

export const registrations: readonly Route[] = [
  post('/api/user/registration/:userId?', register),
  put('/api/user/registration/:userId', update),
  patch('/api/user/registration/:userId', update),
  get('/api/user/registration/:userId/:applicationId', retrieve),
  remove('/api/user/registration/:userId/:applicationId', removeOne),
]
