import { fields } from '../fields.ts'
import type { Application, Row } from '../state/tables.ts'
import type { Transaction } from '../system/event-system.ts'

interface Signing extends Row {
  readonly jwtConfiguration?: { readonly [name: string]: unknown } | undefined
}

const settings = ['enabled', 'accessTokenKeyId', 'idTokenKeyId'] as const

/** Sends that the tokens of these applications may be signed by another key from now on. Not for a new object, which changes no key. */
export function firePublicKeyUpdate(
  tx: Transaction,
  after: Signing,
  before: Signing | undefined,
  applications: readonly Application[],
): void {
  if (before === undefined) return
  const [now, then] = [fields(after.jwtConfiguration), fields(before.jwtConfiguration)]
  if (settings.every((name) => now[name] === then[name])) return
  const applicationIds = applications.map(({ id }) => id).toSorted()
  const tenantId = applications[0]?.tenantId ?? after.id
  tx.fire({ type: 'jwt.public-key.update', tenantId, applicationIds, fields: { applicationIds } })
}
