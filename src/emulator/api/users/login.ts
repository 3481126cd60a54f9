import { fields, text, word, type Fields } from '../../json.ts'
import type { Action, User } from '../../state/rows.ts'
import type { Reading } from '../../state/store.ts'
import type { Draft } from '../../system/event-system.ts'
import { notFound, ok, Problems, type Answer } from '../answer.ts'
import { change } from '../change.ts'
import { open, post, type Call, type Route } from '../route.ts'
import { newCode, redeem } from './codes.ts'
import { applicationOf, userNamed } from './lookup.ts'
import { checkCode } from './one-time-password.ts'
import { fits } from './password.ts'
import { registrationFor } from './registered.ts'
import { aboutUser, shownUser } from './shown.ts'
import { accessToken } from './access-token.ts'
import { newRefreshToken, refresh } from './tokens.ts'

/** Signs a user in: the last step of every way to sign in. 202 when the user is not registered for the application. */
export function signIn(draft: Draft, call: Call, before: User, how: Fields = {}): Answer {
  const applicationId = applicationIdOf(call)
  const user: User = { ...before, lastLoginInstant: draft.now }
  const registered = registrationFor(user, applicationId) !== undefined
  draft.rows.users.put(user)
  const said = { ...loginFields(call, user, applicationId), authenticationType: 'PASSWORD', ...how }
  draft.fire(aboutUser('user.login.success', user, draft.rows, said))
  if (call.body['newDevice'] === true) {
    draft.fire(aboutUser('user.login.new-device', user, draft.rows, said))
  }
  const token = call.body['noJWT'] === true ? {} : accessToken(call, user, applicationId, draft.now)
  return {
    status: applicationId === undefined || registered ? 200 : 202,
    body: {
      ...token,
      ...refreshTokenFor(draft, call, user, applicationId),
      user: shownUser(user, draft.rows),
    },
  }
}

/** Every sign-in to an application gets a refresh token, unless the application says no. */
function refreshTokenFor(draft: Draft, call: Call, user: User, applicationId: string | undefined): Fields {
  if (applicationId === undefined) return {}
  const settings = fields(draft.rows.applications.get(applicationId)?.['loginConfiguration'])
  if (settings['generateRefreshTokens'] === false) return {}
  const { token, id } = newRefreshToken(draft, user, applicationId, call.body['metaData'])
  return { refreshToken: token, refreshTokenId: id }
}

const applicationIdOf = (call: Call): string | undefined =>
  text(call.body['applicationId'] ?? call.body['client_id'])?.toLowerCase()

/** The application is named only when the user is registered for it. */
function loginFields(call: Call, user: User, applicationId: string | undefined): Fields {
  const registration = registrationFor(user, applicationId)
  const ipAddress = text(call.body['ipAddress']) ?? text(call.info['ipAddress'])
  return { ipAddress, ...(registration !== undefined && { applicationId: registration.applicationId }) }
}

/** Checks a password. An unknown user is no event; a wrong password, or a user who may not sign in, is. */
function withPassword(draft: Draft, call: Call, user: User | undefined, password: unknown): Answer | User {
  if (user === undefined) return notFound
  if (!user.active || !fits(password, draft.rows.passwords.get(user.id))) {
    const said = {
      ...loginFields(call, user, applicationIdOf(call)),
      authenticationType: 'PASSWORD',
      reason: { code: 'credentials' },
    }
    draft.fire(aboutUser('user.login.failed', user, draft.rows, said))
    return notFound
  }
  const actions = preventing(draft.rows, user, draft.now)
  return actions.length > 0 ? { status: 409, body: { actions } } : user
}

/** Actions that keep a user out until they expire. */
function preventing(rows: Reading, user: User, now: number): Fields[] {
  const forever = (action: Action) => typeof action.expiry !== 'number' || action.expiry > now
  return rows.actions
    .by('user', user.id)
    .filter((action) => rows.userActions.get(action.userActionId)?.preventLogin === true && forever(action))
    .map(({ id, actionerUserId, expiry, name }) => ({ actionId: id, actionerUserId, expiry, name }))
}

function login(call: Call) {
  return change(call, (draft) => {
    const problems = new Problems()
    const { loginId, password, applicationId, loginIdTypes } = call.body
    if (text(loginId) === undefined) problems.blank('loginId')
    if (text(password) === undefined) problems.blank('password')
    problems.throwIfAny()
    if (applicationId !== undefined) applicationOf(call, draft.rows, applicationId, 'applicationId')
    const types = Array.isArray(loginIdTypes) ? loginIdTypes.map(String) : undefined
    const user = withPassword(draft, call, userNamed(call, draft.rows, loginId, types), password)
    if (!('tenantId' in user)) return user
    return user.twoFactor.methods.length > 0 ? challenge(draft, user) : signIn(draft, call, user)
  })
}

/** 242: the password was right, a code has to follow. */
function challenge(draft: Draft, user: User): Answer {
  const twoFactorId = newCode(draft, user, { purpose: 'two-factor' })
  draft.fire(aboutUser('user.two-factor.challenge', user, draft.rows))
  return {
    status: 242,
    body: { twoFactorId, methods: fields(shownUser(user, draft.rows)['twoFactor'])['methods'] },
  }
}

/** The second step of a challenged sign-in. 421 for a wrong code, which may be tried again. */
function twoFactorLogin(call: Call) {
  return change(call, (draft) => {
    const { code, twoFactorId } = call.body
    const { userId, purpose } = redeem(draft, twoFactorId, 'two-factor')
    const user = draft.rows.users.get(userId)
    if (user === undefined) return notFound
    const method = checkCode(user, code, draft.now)
    if (method === undefined) {
      draft.rows.codes.put({ id: String(twoFactorId), purpose, userId })
      draft.fire(aboutUser('user.two-factor.failed-attempt', user, draft.rows))
      return { status: 421 }
    }
    const recoveryCodes = user.twoFactor.recoveryCodes.filter((one) => one !== code)
    const answer = signIn(draft, call, { ...user, twoFactor: { ...user.twoFactor, recoveryCodes } })
    draft.fire(aboutUser('user.two-factor.success', user, draft.rows, { method }))
    return answer
  })
}

/** The OAuth token endpoint, for the two grants that fire events: password and refresh_token. */
function grant(call: Call) {
  return change(call, (draft) => {
    const { grant_type, username, password, refresh_token } = call.body
    const application = applicationOf(call, draft.rows, call.body['client_id'], 'client_id')
    if (grant_type === 'refresh_token') {
      const { kept, token } = refresh(draft, call, refresh_token, undefined)
      return ok({ ...bearer(kept.userId, token), refresh_token: kept.token, refresh_token_id: kept.id })
    }
    if (grant_type !== 'password') {
      const error = {
        error: 'unsupported_grant_type',
        error_description: 'The emulator knows password and refresh_token.',
      }
      return { status: 501, body: error }
    }
    const tenant = { ...call, tenantHeader: application.tenantId }
    const user = withPassword(draft, call, userNamed(tenant, draft.rows, username), password)
    if (!('tenantId' in user)) return { status: 400, body: { error: 'invalid_grant' } }
    const { body = {} } = signIn(draft, call, user)
    const offline = word(call.body['scope'] ?? '').includes('offline_access')
    return ok({
      ...bearer(user.id, String(body['token'])),
      ...(offline && { refresh_token: body['refreshToken'], refresh_token_id: body['refreshTokenId'] }),
    })
  })
}

function bearer(userId: string, token: string): Fields {
  return { access_token: token, expires_in: 3600, token_type: 'Bearer', userId }
}

export const logins: readonly Route[] = [
  post('/api/login', login),
  open(post('/api/two-factor/login', twoFactorLogin)),
  open(post('/oauth2/token', grant)),
]
