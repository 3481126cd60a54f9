import { fields, text, type Fields } from '../../fields.ts'
import type { User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import type { ApiResponse } from '../api-response.ts'
import type { Call } from '../route.ts'
import { accessToken } from './access-token.ts'
import { registrationFor } from './registration-for.ts'
import { newRefreshToken } from './tokens.ts'
import { shownUser } from './shown-user.ts'
import { userEvent } from './user-event.ts'

/** Signs a user in: the last step of every way to sign in. 202 when the user is not registered for the application. */
export function signIn(tx: Transaction, call: Call, before: User, how: Fields = {}): ApiResponse {
  const applicationId = applicationIdOf(call)
  const user: User = { ...before, lastLoginInstant: tx.now }
  const registered = registrationFor(user, applicationId) !== undefined
  tx.rows.users.put(user)
  const said = { ...loginFields(call, user, applicationId), authenticationType: 'PASSWORD', ...how }
  tx.fire(userEvent('user.login.success', user, tx.rows, said))
  if (call.body['newDevice'] === true) {
    tx.fire(userEvent('user.login.new-device', user, tx.rows, said))
  }
  const token = call.body['noJWT'] === true ? {} : accessToken(call, user, applicationId, tx.now)
  return {
    status: applicationId === undefined || registered ? 200 : 202,
    body: {
      ...token,
      ...refreshTokenFor(tx, call, user, applicationId),
      user: shownUser(user, tx.rows),
    },
  }
}

/** A sign-in to an application gets a refresh token, unless `generateRefreshTokens` is false there. */
function refreshTokenFor(tx: Transaction, call: Call, user: User, applicationId: string | undefined): Fields {
  if (applicationId === undefined) return {}
  const settings = fields(tx.rows.applications.get(applicationId)?.['loginConfiguration'])
  if (settings['generateRefreshTokens'] === false) return {}
  const { token, id } = newRefreshToken(tx, user, applicationId, call.body['metaData'])
  return { refreshToken: token, refreshTokenId: id }
}

export const applicationIdOf = (call: Call): string | undefined =>
  text(call.body['applicationId'] ?? call.body['client_id'])?.toLowerCase()

/** The application is named only when the user is registered for it. */
export function loginFields(call: Call, user: User, applicationId: string | undefined): Fields {
  const registration = registrationFor(user, applicationId)
  const ipAddress = text(call.body['ipAddress']) ?? text(call.info['ipAddress'])
  return { ipAddress, ...(registration !== undefined && { applicationId: registration.applicationId }) }
}
