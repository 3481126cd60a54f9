import type { Tenant } from '../state/tables.ts'
import { generalError, notFoundError } from './api-response.ts'
import type { Call } from './route.ts'

/**
 * The tenant of a call: that of its API key, of its X-FusionAuth-TenantId header, or the only tenant.
 */
export function tenantOf(call: Call): Tenant {
  const named = namedTenantOf(call)
  if (named !== undefined) return named
  const [only, second] = call.state.rows.tenants.all()
  if (only === undefined || second !== undefined) {
    throw generalError(
      '[TenantIdRequired]',
      'A Tenant Id is required to complete this request. To complete this request, you may assign a Tenant to your API key, or add the X-FusionAuth-TenantId HTTP request header with the Tenant Id.',
    )
  }
  return only
}

/** The tenant that a call names, or undefined. */
function namedTenantOf(call: Call): Tenant | undefined {
  const id = call.key?.tenantId ?? call.tenantHeader
  if (id === undefined) return undefined
  const tenant = call.state.rows.tenants.get(id)
  if (tenant === undefined) {
    throw generalError('[InvalidTenantId]', 'The X-FusionAuth-TenantId header does not name a Tenant.')
  }
  return tenant
}

/** A call that names a tenant does not see objects of other tenants. */
export function isVisible(call: Call, row: { readonly tenantId: string }): boolean {
  const tenant = namedTenantOf(call)
  return tenant === undefined || tenant.id === row.tenantId
}

/** The object, or a 404 when it does not exist or is not visible. */
export function requireVisible<R extends { readonly tenantId: string }>(call: Call, row: R | undefined): R {
  if (row === undefined || !isVisible(call, row)) throw notFoundError()
  return row
}
