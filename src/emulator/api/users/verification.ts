import { text } from '../../fields.ts'
import type { LoginIdType, User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import { notFoundError, ok, ApiError, type ApiResponse } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { open, post, put, type Call, type Route } from '../route.ts'
import { createCode, redeemCode } from './create-code.ts'
import { userOfLoginId, userOf } from './user-of.ts'
import { registrationFor } from './registration-for.ts'
import { withRegistration } from './read-registration.ts'
import { registrationEvent, userEvent } from './user-event.ts'

/** Marks one login id as verified. For an email this fires two events, but no user.update. */
function verify(tx: Transaction, before: User, type: LoginIdType): void {
  const { now, rows } = tx
  const identities = before.identities.map((one) =>
    one.type === type ? { ...one, verified: true, verifiedInstant: now, verifiedReason: 'Completed' } : one,
  )
  const identity = identities.find((one) => one.type === type)
  if (identity === undefined) throw notFoundError()
  const user: User = {
    ...before,
    identities,
    ...(type === 'email' && { verified: true, verifiedInstant: now }),
    lastUpdateInstant: now,
  }
  rows.users.put(user)
  if (type === 'email') tx.fire(userEvent('user.email.verified', user, rows))
  tx.fire(userEvent('user.identity.verified', user, rows, { loginId: identity.value, loginIdType: type }))
}

function startEmail(call: Call) {
  return inTransaction(call, (tx) => {
    const user = userOfLoginId(call, tx.rows, call.query.get('email'), ['email'])
    if (user === undefined) throw notFoundError()
    return ok({ verificationId: createCode(tx, user, { purpose: 'verify', loginIdType: 'email' }) })
  })
}

/** By code, which needs no key, or by user id, which does. */
function completeEmail(call: Call) {
  return inTransaction(call, (tx) => {
    const code = call.params['code'] ?? call.body['verificationId']
    if (code === undefined && call.key === undefined) throw new ApiError({ status: 401 })
    const userId = code === undefined ? call.body['userId'] : redeemCode(tx, code, 'verify').userId
    verify(tx, userOf(call, tx.rows, userId), 'email')
    return ok()
  })
}

function named(call: Call, tx: Transaction): { user: User; loginIdType: LoginIdType } {
  const loginIdType = typeOf(call.body['loginIdType'])
  const user = userOfLoginId(call, tx.rows, call.body['loginId'], [loginIdType])
  if (user === undefined) throw notFoundError()
  return { user, loginIdType }
}

function typeOf(value: unknown): LoginIdType {
  return value === 'phoneNumber' || value === 'username' ? value : 'email'
}

function startIdentity(call: Call) {
  return inTransaction(call, (tx) => {
    const { user, loginIdType } = named(call, tx)
    return ok({ verificationId: createCode(tx, user, { purpose: 'verify', loginIdType }) })
  })
}

function completeIdentity(call: Call) {
  return inTransaction(call, (tx) => {
    const { userId, loginIdType } = redeemCode(tx, call.body['verificationId'], 'verify')
    verify(tx, userOf(call, tx.rows, userId), loginIdType ?? 'email')
    return ok({})
  })
}

function verifyIdentity(call: Call): Promise<ApiResponse> {
  return inTransaction(call, (tx) => {
    const { user, loginIdType } = named(call, tx)
    verify(tx, user, loginIdType)
    return ok()
  })
}

function startRegistration(call: Call) {
  return inTransaction(call, (tx) => {
    const user = userOfLoginId(call, tx.rows, call.query.get('email'), ['email'])
    const registration = user && registrationFor(user, call.query.get('applicationId') ?? '')
    if (user === undefined || registration === undefined) throw notFoundError()
    const { applicationId } = registration
    return ok({ verificationId: createCode(tx, user, { purpose: 'verify registration', applicationId }) })
  })
}

function completeRegistration(call: Call) {
  return inTransaction(call, (tx) => {
    const id = call.params['code'] ?? text(call.body['verificationId'])
    const { userId, applicationId } = redeemCode(tx, id, 'verify registration')
    const before = userOf(call, tx.rows, userId)
    const unverified = registrationFor(before, applicationId)
    if (unverified === undefined) throw notFoundError()
    const registration = { ...unverified, verified: true, verifiedInstant: tx.now }
    const user = withRegistration(tx, before, registration)
    tx.fire(registrationEvent('user.registration.verified', user, registration, tx.rows))
    return ok()
  })
}

export const verification: readonly Route[] = [
  put('/api/user/verify-email', startEmail),
  open(post('/api/user/verify-email/:code?', completeEmail)),
  put('/api/user/verify-registration', startRegistration),
  open(post('/api/user/verify-registration/:code?', completeRegistration)),
  post('/api/identity/verify/start', startIdentity),
  post('/api/identity/verify/send', () => ok()),
  post('/api/identity/verify/complete', completeIdentity),
  post('/api/identity/verify', verifyIdentity),
]
