import { without, type Fields } from '../../json.ts'
import type { Link, Registration, User } from '../../state/rows.ts'
import type { Reading } from '../../state/store.ts'
import type { Fired } from '../../system/fired.ts'
import type { EventType } from '../../../events/types.ts'

/** A user as callers and receivers see it: memberships joined, no two-factor secret. Passwords are kept elsewhere. */
export function shownUser(user: User, rows: Reading): Fields {
  return {
    ...user,
    memberships: rows.members.by('user', user.id),
    registrations: user.registrations.toSorted((a, b) => a.applicationId.localeCompare(b.applicationId)),
    twoFactor: {
      methods: user.twoFactor.methods.map((method) => without(method, 'secret')),
      recoveryCodes: [],
    },
  }
}

/** An event about a user. */
export function aboutUser(type: EventType, user: User, rows: Reading, more: Fields = {}): Fired {
  return {
    type,
    tenantId: user.tenantId,
    linkedObjectId: user.id,
    ...(typeof more['applicationId'] === 'string' && { applicationIds: [more['applicationId']] }),
    fields: { user: shownUser(user, rows), ...more },
  }
}

/** An event about a registration. Its user comes without registrations: the one it is about stands beside it. */
export function aboutRegistration(
  type: EventType,
  user: User,
  registration: Registration,
  rows: Reading,
  more: Fields = {},
): Fired {
  const { applicationId } = registration
  return {
    type,
    tenantId: user.tenantId,
    linkedObjectId: user.id,
    applicationIds: [applicationId],
    fields: { user: { ...shownUser(user, rows), registrations: [] }, applicationId, registration, ...more },
  }
}

export function aboutLink(type: EventType, user: User, link: Link, rows: Reading): Fired {
  return aboutUser(type, user, rows, { identityProviderLink: link })
}
