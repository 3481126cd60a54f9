import { without, type Fields } from '../../fields.ts'
import type { User } from '../../state/tables.ts'
import type { ReadableTables } from '../../state/store.ts'

/** A user as callers and receivers see it: with memberships, without two-factor secrets. Passwords are stored elsewhere. */
export function shownUser(user: User, rows: ReadableTables): Fields {
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
