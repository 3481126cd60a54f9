import { fields } from '../json.ts'
import type { Application, Row } from '../state/rows.ts'
import type { Draft } from '../system/event-system.ts'

interface Signing extends Row {
  readonly jwtConfiguration?: { readonly [name: string]: unknown } | undefined
}

const settings = ['enabled', 'accessTokenKeyId', 'idTokenKeyId'] as const

/** Tells that these applications' tokens may be signed by another key from now on. A new object changes nobody's key. */
export function firePublicKeyUpdate(
  draft: Draft,
  after: Signing,
  before: Signing | undefined,
  applications: readonly Application[],
): void {
  if (before === undefined) return
  const [now, then] = [fields(after.jwtConfiguration), fields(before.jwtConfiguration)]
  if (settings.every((name) => now[name] === then[name])) return
  const applicationIds = applications.map(({ id }) => id).toSorted()
  const tenantId = applications[0]?.tenantId ?? after.id
  draft.fire({ type: 'jwt.public-key.update', tenantId, applicationIds, fields: { applicationIds } })
}
