import { randomUUID } from 'node:crypto'
import { fields, texts, type Fields } from '../../fields.ts'
import type { Registration, User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import type { Problems } from '../api-response.ts'
import { newId } from '../resource.ts'
import type { Call } from '../route.ts'
import { applicationOf } from './user-of.ts'

/** Reads a registration from a request. Without roles it gets the default ones of the application. */
export function readRegistration(
  tx: Transaction,
  call: Call,
  input: Fields,
  { before, problems }: { before?: Registration | undefined; problems: Problems },
): Registration {
  const application = applicationOf(call, tx.rows, input['applicationId'], 'registration.applicationId')
  const defaults = application.roles.filter((role) => role.isDefault === true).map((role) => role.name)
  const unverified =
    application['verifyRegistration'] === true && call.body['skipRegistrationVerification'] !== true
  return {
    ...input,
    id: before?.id ?? newId(input['id'], 'registration.id', problems),
    applicationId: application.id,
    data: fields(input['data']),
    insertInstant: before?.['insertInstant'] ?? tx.now,
    lastUpdateInstant: tx.now,
    preferredLanguages: texts(input['preferredLanguages']),
    roles: Array.isArray(input['roles']) ? texts(input['roles']).toSorted() : defaults.toSorted(),
    usernameStatus: 'ACTIVE',
    verified: before?.verified ?? !unverified,
    ...(call.body['generateAuthenticationToken'] === true && { authenticationToken: randomUUID() }),
  }
}

/** Replaces the user's registration for the same application. */
export function withRegistration(tx: Transaction, user: User, registration: Registration): User {
  const others = user.registrations.filter((one) => one.applicationId !== registration.applicationId)
  const registered: User = { ...user, registrations: [...others, registration], lastUpdateInstant: tx.now }
  tx.rows.users.put(registered)
  return registered
}
