import { randomBytes, randomUUID } from 'node:crypto'
import { isFields, text, type Fields } from '../../fields.ts'
import type { RefreshToken, User } from '../../state/tables.ts'
import type { ReadableTables } from '../../state/store.ts'
import type { Transaction } from '../../system/event-system.ts'
import { generalError, notFoundError, ok, Problems, type ApiResponse } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { get, open, post, remove, type Call, type Route } from '../route.ts'
import { isVisible } from '../tenant-of.ts'
import { accessToken, timeToLive } from './access-token.ts'
import { applicationOf, userOf } from './user-of.ts'
import { shownUser } from './shown-user.ts'

export function newRefreshToken(
  tx: Transaction,
  user: User,
  applicationId: string | undefined,
  metaData?: unknown,
): RefreshToken {
  const token: RefreshToken = {
    id: randomUUID(),
    token: randomBytes(32).toString('base64url'),
    userId: user.id,
    tenantId: user.tenantId,
    applicationId,
    insertInstant: tx.now,
    startInstant: tx.now,
    ...(isFields(metaData) && { metaData }),
  }
  tx.rows.refreshTokens.put(token)
  return token
}

/** Exchanges a refresh token for an access token, as part of a transaction. */
export function refresh(
  tx: Transaction,
  call: Call,
  value: unknown,
  original: string | undefined,
): { readonly kept: RefreshToken; readonly token: string } {
  const kept = typeof value === 'string' ? tx.rows.refreshTokens.by('token', value)[0] : undefined
  const user = kept === undefined ? undefined : tx.rows.users.get(kept.userId)
  if (kept === undefined || user === undefined) {
    const problems = new Problems()
    if (value === undefined) problems.blank('refreshToken')
    else problems.add('refreshToken', 'invalid', 'The refresh token is unknown or was revoked.')
    problems.throwIfAny()
    throw notFoundError()
  }
  const { token } = accessToken(call, user, kept.applicationId, tx.now)
  const { applicationId } = kept
  tx.fire({
    type: 'jwt.refresh',
    tenantId: user.tenantId,
    linkedObjectId: user.id,
    ...(applicationId !== undefined && { applicationIds: [applicationId] }),
    fields: { applicationId, original, refreshToken: kept.token, token, userId: user.id },
  })
  return { kept, token }
}

/** Revokes tokens. The shape of the event depends on the cause: one token, all of a user, all of an application. */
function revoke(tx: Transaction, tokens: readonly RefreshToken[], cause: Fields): ApiResponse {
  const [first] = tokens
  if (first === undefined) return ok()
  const ids = new Set(tokens.flatMap(({ applicationId }) => applicationId ?? []))
  const timesToLive = [...ids].map((id) => [id, timeToLive(tx.rows.applications.get(id))] as const)
  const { userId } = cause
  for (const { id } of tokens) tx.rows.refreshTokens.remove(id)
  tx.fire({
    type: 'jwt.refresh-token.revoke',
    tenantId: first.tenantId,
    linkedObjectId: text(userId),
    applicationIds: [...ids],
    fields: { ...cause, applicationTimeToLiveInSeconds: Object.fromEntries(timesToLive) },
  })
  return ok()
}

function revokeOne(tx: Transaction, token: RefreshToken): ApiResponse {
  const { userId, applicationId } = token
  return revoke(tx, [token], { ...ofUser(tx.rows, userId), applicationId, refreshToken: token })
}

function ofUser(rows: ReadableTables, userId: string): Fields {
  const user = rows.users.get(userId)
  return { userId, user: user === undefined ? undefined : shownUser(user, rows) }
}

function revokeAny(call: Call) {
  return inTransaction(call, (tx) => {
    const { rows } = tx
    const asked = (name: string) => call.query.get(name) ?? text(call.body[name])
    const [id, value, userId, application] = [
      call.params['id'],
      asked('token'),
      asked('userId'),
      asked('applicationId'),
    ]
    if (id !== undefined || value !== undefined) {
      const token =
        value === undefined ? rows.refreshTokens.get(id ?? '') : rows.refreshTokens.by('token', value)[0]
      if (token === undefined || !isVisible(call, token)) throw notFoundError()
      return revokeOne(tx, token)
    }
    const applicationId =
      application === undefined ? undefined : applicationOf(call, rows, application, 'applicationId').id
    if (userId !== undefined) {
      const user = userOf(call, rows, userId)
      const tokens = rows.refreshTokens
        .by('user', user.id)
        .filter((token) => applicationId === undefined || token.applicationId === applicationId)
      return revoke(tx, tokens, { ...ofUser(rows, user.id), applicationId })
    }
    if (applicationId !== undefined) {
      return revoke(tx, rows.refreshTokens.by('application', applicationId), { applicationId })
    }
    throw generalError('[missing]', 'Name a token, a userId or an applicationId.')
  })
}

/** Ends a session: `global` revokes all of the user's tokens, else the one that was sent. */
function logout(call: Call) {
  return inTransaction(call, (tx) => {
    const value = call.query.get('refreshToken') ?? text(call.body['refreshToken'])
    const [token] = value === undefined ? [] : tx.rows.refreshTokens.by('token', value)
    if (token === undefined) return ok()
    const global = call.query.get('global') === 'true' || call.body['global'] === true
    if (!global) return revokeOne(tx, token)
    const { userId } = token
    return revoke(tx, tx.rows.refreshTokens.by('user', userId), ofUser(tx.rows, userId))
  })
}

function exchange(call: Call) {
  return inTransaction(call, (tx) => {
    const { kept, token } = refresh(tx, call, call.body['refreshToken'], text(call.body['token']))
    return ok({ refreshToken: kept.token, refreshTokenId: kept.id, token })
  })
}

function retrieve(call: Call): ApiResponse {
  const { rows } = call.state
  const { id } = call.params
  if (id === undefined) {
    const user = userOf(call, rows, call.query.get('userId'))
    return ok({ refreshTokens: rows.refreshTokens.by('user', user.id) })
  }
  const refreshToken = rows.refreshTokens.get(id)
  if (refreshToken === undefined || !isVisible(call, refreshToken)) throw notFoundError()
  return ok({ refreshToken })
}

export const tokens: readonly Route[] = [
  open(post('/api/jwt/refresh', exchange)),
  get('/api/jwt/refresh/:id?', retrieve),
  remove('/api/jwt/refresh/:id?', revokeAny),
  open(post('/api/logout', logout)),
]
