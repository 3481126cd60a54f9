import type { Fields } from '../../fields.ts'
import type { Link, Registration, User } from '../../state/tables.ts'
import type { ReadableTables } from '../../state/store.ts'
import { shownUser } from './shown-user.ts'
import type { FiredEvent } from '../../system/fired-event.ts'
import type { EventType } from '../../../events/types.ts'

/** An event about a user. */
export function userEvent(type: EventType, user: User, rows: ReadableTables, more: Fields = {}): FiredEvent {
  return {
    type,
    tenantId: user.tenantId,
    linkedObjectId: user.id,
    ...(typeof more['applicationId'] === 'string' && { applicationIds: [more['applicationId']] }),
    fields: { user: shownUser(user, rows), ...more },
  }
}

/** An event about a registration. Its user has no registrations: this one is next to it. */
export function registrationEvent(
  type: EventType,
  user: User,
  registration: Registration,
  rows: ReadableTables,
  more: Fields = {},
): FiredEvent {
  const { applicationId } = registration
  return {
    type,
    tenantId: user.tenantId,
    linkedObjectId: user.id,
    applicationIds: [applicationId],
    fields: { user: { ...shownUser(user, rows), registrations: [] }, applicationId, registration, ...more },
  }
}

export function linkEvent(type: EventType, user: User, link: Link, rows: ReadableTables): FiredEvent {
  return userEvent(type, user, rows, { identityProviderLink: link })
}
