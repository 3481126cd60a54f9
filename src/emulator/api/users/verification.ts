import { text } from '../../json.ts'
import type { LoginIdType, User } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import { missing, ok, Refusal, type Answer } from '../answer.ts'
import { change } from '../change.ts'
import { open, post, put, type Call, type Route } from '../route.ts'
import { newCode, redeem } from './codes.ts'
import { userNamed, userOf } from './lookup.ts'
import { registrationFor } from './registered.ts'
import { withRegistration } from './registration.ts'
import { aboutRegistration, aboutUser } from './shown.ts'

/** Marks one login id as verified. For an email that is two events; user.update is none of them. */
function verify(draft: Draft, before: User, type: LoginIdType): void {
  const { now, rows } = draft
  const identities = before.identities.map((one) =>
    one.type === type ? { ...one, verified: true, verifiedInstant: now, verifiedReason: 'Completed' } : one,
  )
  const identity = identities.find((one) => one.type === type)
  if (identity === undefined) throw missing()
  const user: User = {
    ...before,
    identities,
    ...(type === 'email' && { verified: true, verifiedInstant: now }),
    lastUpdateInstant: now,
  }
  rows.users.put(user)
  if (type === 'email') draft.fire(aboutUser('user.email.verified', user, rows))
  draft.fire(aboutUser('user.identity.verified', user, rows, { loginId: identity.value, loginIdType: type }))
}

function startEmail(call: Call) {
  return change(call, (draft) => {
    const user = userNamed(call, draft.rows, call.query.get('email'), ['email'])
    if (user === undefined) throw missing()
    return ok({ verificationId: newCode(draft, user, { purpose: 'verify', loginIdType: 'email' }) })
  })
}

/** By code, which needs no key, or by user id, which does. */
function completeEmail(call: Call) {
  return change(call, (draft) => {
    const code = call.params['code'] ?? call.body['verificationId']
    if (code === undefined && call.key === undefined) throw new Refusal({ status: 401 })
    const userId = code === undefined ? call.body['userId'] : redeem(draft, code, 'verify').userId
    verify(draft, userOf(call, draft.rows, userId), 'email')
    return ok()
  })
}

function named(call: Call, draft: Draft): { user: User; loginIdType: LoginIdType } {
  const loginIdType = typeOf(call.body['loginIdType'])
  const user = userNamed(call, draft.rows, call.body['loginId'], [loginIdType])
  if (user === undefined) throw missing()
  return { user, loginIdType }
}

function typeOf(value: unknown): LoginIdType {
  return value === 'phoneNumber' || value === 'username' ? value : 'email'
}

function startIdentity(call: Call) {
  return change(call, (draft) => {
    const { user, loginIdType } = named(call, draft)
    return ok({ verificationId: newCode(draft, user, { purpose: 'verify', loginIdType }) })
  })
}

function completeIdentity(call: Call) {
  return change(call, (draft) => {
    const { userId, loginIdType } = redeem(draft, call.body['verificationId'], 'verify')
    verify(draft, userOf(call, draft.rows, userId), loginIdType ?? 'email')
    return ok({})
  })
}

function verifyIdentity(call: Call): Promise<Answer> {
  return change(call, (draft) => {
    const { user, loginIdType } = named(call, draft)
    verify(draft, user, loginIdType)
    return ok()
  })
}

function startRegistration(call: Call) {
  return change(call, (draft) => {
    const user = userNamed(call, draft.rows, call.query.get('email'), ['email'])
    const registration = user && registrationFor(user, call.query.get('applicationId') ?? '')
    if (user === undefined || registration === undefined) throw missing()
    const { applicationId } = registration
    return ok({ verificationId: newCode(draft, user, { purpose: 'verify registration', applicationId }) })
  })
}

function completeRegistration(call: Call) {
  return change(call, (draft) => {
    const id = call.params['code'] ?? text(call.body['verificationId'])
    const { userId, applicationId } = redeem(draft, id, 'verify registration')
    const before = userOf(call, draft.rows, userId)
    const unverified = registrationFor(before, applicationId)
    if (unverified === undefined) throw missing()
    const registration = { ...unverified, verified: true, verifiedInstant: draft.now }
    const user = withRegistration(draft, before, registration)
    draft.fire(aboutRegistration('user.registration.verified', user, registration, draft.rows))
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
