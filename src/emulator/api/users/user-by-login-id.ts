import type { User } from '../../state/tables.ts'
import { loginIdKey, type ReadableTables } from '../../state/store.ts'

/** The user of a tenant with this login id; without types, an email or a username. */
export function userByLoginId(
  rows: ReadableTables,
  tenantId: string,
  loginId: string,
  types: readonly string[] = ['email', 'username'],
): User | undefined {
  for (const type of types.length === 0 ? ['email', 'username'] : types) {
    const [user] = rows.users.by('uniqueLoginId', loginIdKey(tenantId, type, loginId))
    if (user !== undefined) return user
  }
  return undefined
}
