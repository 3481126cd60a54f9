import type { Registration, User } from '../../state/tables.ts'

/** The user's registration for an application, if there is one. */
export function registrationFor(user: User, applicationId: string | undefined): Registration | undefined {
  return user.registrations.find((one) => one.applicationId === applicationId?.toLowerCase())
}
