import { fields, text, word, type Fields } from '../../fields.ts'
import type { Action, User } from '../../state/tables.ts'
import type { ReadableTables } from '../../state/store.ts'
import type { Transaction } from '../../system/event-system.ts'
import { notFound, ok, Problems, type ApiResponse } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { open, post, type Call, type Route } from '../route.ts'
import { createCode, redeemCode } from './create-code.ts'
import { applicationOf, userOfLoginId } from './user-of.ts'
import { checkCode } from './one-time-password.ts'
import { passwordMatches } from './check-password.ts'
import { userEvent } from './user-event.ts'
import { shownUser } from './shown-user.ts'
import { applicationIdOf, loginFields, signIn } from './sign-in.ts'
import { refresh } from './tokens.ts'

/** Checks a password. A wrong one, or an inactive user, fires `user.login.failed`; an unknown user fires nothing. */
function withPassword(
  tx: Transaction,
  call: Call,
  user: User | undefined,
  password: unknown,
): ApiResponse | User {
  if (user === undefined) return notFound
  if (!user.active || !passwordMatches(password, tx.rows.passwords.get(user.id))) {
    const said = {
      ...loginFields(call, user, applicationIdOf(call)),
      authenticationType: 'PASSWORD',
      reason: { code: 'credentials' },
    }
    tx.fire(userEvent('user.login.failed', user, tx.rows, said))
    return notFound
  }
  const actions = preventing(tx.rows, user, tx.now)
  return actions.length > 0 ? { status: 409, body: { actions } } : user
}

/** Actions that prevent the user from signing in until they expire. */
function preventing(rows: ReadableTables, user: User, now: number): Fields[] {
  const forever = (action: Action) => typeof action.expiry !== 'number' || action.expiry > now
  return rows.actions
    .by('user', user.id)
    .filter((action) => rows.userActions.get(action.userActionId)?.preventLogin === true && forever(action))
    .map(({ id, actionerUserId, expiry, name }) => ({ actionId: id, actionerUserId, expiry, name }))
}

function login(call: Call) {
  return inTransaction(call, (tx) => {
    const problems = new Problems()
    const { loginId, password, applicationId, loginIdTypes } = call.body
    if (text(loginId) === undefined) problems.blank('loginId')
    if (text(password) === undefined) problems.blank('password')
    problems.throwIfAny()
    if (applicationId !== undefined) applicationOf(call, tx.rows, applicationId, 'applicationId')
    const types = Array.isArray(loginIdTypes) ? loginIdTypes.map(String) : undefined
    const user = withPassword(tx, call, userOfLoginId(call, tx.rows, loginId, types), password)
    if (!('tenantId' in user)) return user
    return user.twoFactor.methods.length > 0 ? challenge(tx, user) : signIn(tx, call, user)
  })
}

/** 242: the password was right, a code is required. */
function challenge(tx: Transaction, user: User): ApiResponse {
  const twoFactorId = createCode(tx, user, { purpose: 'two-factor' })
  tx.fire(userEvent('user.two-factor.challenge', user, tx.rows))
  return {
    status: 242,
    body: { twoFactorId, methods: fields(shownUser(user, tx.rows)['twoFactor'])['methods'] },
  }
}

/** The second step of a sign-in with two factors. 421 for a wrong code; the caller may try again. */
function twoFactorLogin(call: Call) {
  return inTransaction(call, (tx) => {
    const { code, twoFactorId } = call.body
    const { userId, purpose } = redeemCode(tx, twoFactorId, 'two-factor')
    const user = tx.rows.users.get(userId)
    if (user === undefined) return notFound
    const method = checkCode(user, code, tx.now)
    if (method === undefined) {
      tx.rows.codes.put({ id: String(twoFactorId), purpose, userId })
      tx.fire(userEvent('user.two-factor.failed-attempt', user, tx.rows))
      return { status: 421 }
    }
    const recoveryCodes = user.twoFactor.recoveryCodes.filter((one) => one !== code)
    const answer = signIn(tx, call, { ...user, twoFactor: { ...user.twoFactor, recoveryCodes } })
    tx.fire(userEvent('user.two-factor.success', user, tx.rows, { method }))
    return answer
  })
}

/** The OAuth token endpoint, for the two grants that fire events: password and refresh_token. */
function grant(call: Call) {
  return inTransaction(call, (tx) => {
    const { grant_type, username, password, refresh_token } = call.body
    const application = applicationOf(call, tx.rows, call.body['client_id'], 'client_id')
    if (grant_type === 'refresh_token') {
      const { kept, token } = refresh(tx, call, refresh_token, undefined)
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
    const user = withPassword(tx, call, userOfLoginId(tenant, tx.rows, username), password)
    if (!('tenantId' in user)) return { status: 400, body: { error: 'invalid_grant' } }
    const { body = {} } = signIn(tx, call, user)
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
