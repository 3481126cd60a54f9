import type { Tenant } from '../state/rows.ts'
import { generalError, missing } from './answer.ts'
import type { Call } from './route.ts'

/**
 * The tenant a call means: that of its key, of its X-FusionAuth-TenantId header, or the only one there is.
 */
export function tenantOf(call: Call): Tenant {
  const named = namedTenantOf(call)
  if (named !== undefined) return named
  const [only, second] = call.world.rows.tenants.all()
  if (only === undefined || second !== undefined) {
    throw generalError(
      '[TenantIdRequired]',
      'A Tenant Id is required to complete this request. To complete this request, you may assign a Tenant to your API key, or add the X-FusionAuth-TenantId HTTP request header with the Tenant Id.',
    )
  }
  return only
}

/** The tenant a call names; none if it leaves it open. */
function namedTenantOf(call: Call): Tenant | undefined {
  const id = call.key?.tenantId ?? call.tenantHeader
  if (id === undefined) return undefined
  const tenant = call.world.rows.tenants.get(id)
  if (tenant === undefined) {
    throw generalError('[InvalidTenantId]', 'The X-FusionAuth-TenantId header does not name a Tenant.')
  }
  return tenant
}

/** Objects of another tenant than the call names do not exist for it. */
export function isVisible(call: Call, row: { readonly tenantId: string }): boolean {
  const tenant = namedTenantOf(call)
  return tenant === undefined || tenant.id === row.tenantId
}

/** The object, if it exists and is visible; else 404. */
export function found<R extends { readonly tenantId: string }>(call: Call, row: R | undefined): R {
  if (row === undefined || !isVisible(call, row)) throw missing()
  return row
}
