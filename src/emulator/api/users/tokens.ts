import { randomBytes, randomUUID } from 'node:crypto'
import { isFields, text, type Fields } from '../../json.ts'
import type { RefreshToken, User } from '../../state/rows.ts'
import type { Reading } from '../../state/store.ts'
import type { Draft } from '../../system/event-system.ts'
import { generalError, missing, ok, Problems, type Answer } from '../answer.ts'
import { change } from '../change.ts'
import { get, open, post, remove, type Call, type Route } from '../route.ts'
import { isVisible } from '../tenancy.ts'
import { accessToken, timeToLive } from './access-token.ts'
import { applicationOf, userOf } from './lookup.ts'
import { shownUser } from './shown.ts'

export function newRefreshToken(
  draft: Draft,
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
    insertInstant: draft.now,
    startInstant: draft.now,
    ...(isFields(metaData) && { metaData }),
  }
  draft.rows.refreshTokens.put(token)
  return token
}

/** Trades a refresh token for an access token, as part of a change. */
export function refresh(
  draft: Draft,
  call: Call,
  value: unknown,
  original: string | undefined,
): { readonly kept: RefreshToken; readonly token: string } {
  const kept = typeof value === 'string' ? draft.rows.refreshTokens.by('token', value)[0] : undefined
  const user = kept === undefined ? undefined : draft.rows.users.get(kept.userId)
  if (kept === undefined || user === undefined) {
    const problems = new Problems()
    if (value === undefined) problems.blank('refreshToken')
    else problems.add('refreshToken', 'invalid', 'The refresh token is unknown or was revoked.')
    problems.throwIfAny()
    throw missing()
  }
  const { token } = accessToken(call, user, kept.applicationId, draft.now)
  const { applicationId } = kept
  draft.fire({
    type: 'jwt.refresh',
    tenantId: user.tenantId,
    linkedObjectId: user.id,
    ...(applicationId !== undefined && { applicationIds: [applicationId] }),
    fields: { applicationId, original, refreshToken: kept.token, token, userId: user.id },
  })
  return { kept, token }
}

/** Revokes tokens and tells of it in the shape of the cause: one token, all of a user, all of an application. */
function revoke(draft: Draft, tokens: readonly RefreshToken[], cause: Fields): Answer {
  const [first] = tokens
  if (first === undefined) return ok()
  const ids = new Set(tokens.flatMap(({ applicationId }) => applicationId ?? []))
  const timesToLive = [...ids].map((id) => [id, timeToLive(draft.rows.applications.get(id))] as const)
  const { userId } = cause
  for (const { id } of tokens) draft.rows.refreshTokens.remove(id)
  draft.fire({
    type: 'jwt.refresh-token.revoke',
    tenantId: first.tenantId,
    linkedObjectId: text(userId),
    applicationIds: [...ids],
    fields: { ...cause, applicationTimeToLiveInSeconds: Object.fromEntries(timesToLive) },
  })
  return ok()
}

function revokeOne(draft: Draft, token: RefreshToken): Answer {
  const { userId, applicationId } = token
  return revoke(draft, [token], { ...ofUser(draft.rows, userId), applicationId, refreshToken: token })
}

function ofUser(rows: Reading, userId: string): Fields {
  const user = rows.users.get(userId)
  return { userId, user: user === undefined ? undefined : shownUser(user, rows) }
}

function revokeAny(call: Call) {
  return change(call, (draft) => {
    const { rows } = draft
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
      if (token === undefined || !isVisible(call, token)) throw missing()
      return revokeOne(draft, token)
    }
    const applicationId =
      application === undefined ? undefined : applicationOf(call, rows, application, 'applicationId').id
    if (userId !== undefined) {
      const user = userOf(call, rows, userId)
      const tokens = rows.refreshTokens
        .by('user', user.id)
        .filter((token) => applicationId === undefined || token.applicationId === applicationId)
      return revoke(draft, tokens, { ...ofUser(rows, user.id), applicationId })
    }
    if (applicationId !== undefined) {
      return revoke(draft, rows.refreshTokens.by('application', applicationId), { applicationId })
    }
    throw generalError('[missing]', 'Name a token, a userId or an applicationId.')
  })
}

/** Ends a session: `global` revokes all of the user's tokens, else the one that was sent. */
function logout(call: Call) {
  return change(call, (draft) => {
    const value = call.query.get('refreshToken') ?? text(call.body['refreshToken'])
    const [token] = value === undefined ? [] : draft.rows.refreshTokens.by('token', value)
    if (token === undefined) return ok()
    const global = call.query.get('global') === 'true' || call.body['global'] === true
    if (!global) return revokeOne(draft, token)
    const { userId } = token
    return revoke(draft, draft.rows.refreshTokens.by('user', userId), ofUser(draft.rows, userId))
  })
}

function exchange(call: Call) {
  return change(call, (draft) => {
    const { kept, token } = refresh(draft, call, call.body['refreshToken'], text(call.body['token']))
    return ok({ refreshToken: kept.token, refreshTokenId: kept.id, token })
  })
}

function retrieve(call: Call): Answer {
  const { rows } = call.world
  const { id } = call.params
  if (id === undefined) {
    const user = userOf(call, rows, call.query.get('userId'))
    return ok({ refreshTokens: rows.refreshTokens.by('user', user.id) })
  }
  const refreshToken = rows.refreshTokens.get(id)
  if (refreshToken === undefined || !isVisible(call, refreshToken)) throw missing()
  return ok({ refreshToken })
}

export const tokens: readonly Route[] = [
  open(post('/api/jwt/refresh', exchange)),
  get('/api/jwt/refresh/:id?', retrieve),
  remove('/api/jwt/refresh/:id?', revokeAny),
  open(post('/api/logout', logout)),
]
