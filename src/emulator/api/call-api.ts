import { LockTimeout } from '../system/event-system.ts'
import { fields, isFields, tooDeep, type Fields } from '../fields.ts'
import type { EmulatorState } from '../emulator-state.ts'
import { apiKeys, permits } from './api-keys.ts'
import { generalError, ApiError, type ApiResponse } from './api-response.ts'
import { applications } from './applications.ts'
import { auditLogs } from './audit-logs.ts'
import { emulatorRoutes } from './emulator-routes.ts'
import { entities } from './entities.ts'
import { eventLogs } from './event-logs.ts'
import { groups } from './groups.ts'
import { keys } from './keys.ts'
import { isUuid } from './resource.ts'
import { router, type Call, type EndedTransaction, type Route } from './route.ts'
import { systemConfiguration } from './system-configuration.ts'
import { tenants } from './tenants.ts'
import { userActions } from './user-actions.ts'
import { actions } from './users/actions.ts'
import { identityProviders } from './users/identity-providers.ts'
import { logins } from './users/logins.ts'
import { passwords } from './users/passwords.ts'
import { registrations } from './users/registrations.ts'
import { tokens } from './users/tokens.ts'
import { twoFactor } from './users/two-factor.ts'
import { users } from './users/users.ts'
import { verification } from './users/verification.ts'
import { webhooks } from './webhooks.ts'

/** An API request, over HTTP or from the library. */
export interface ApiRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly body?: unknown
  readonly authorization?: string | undefined
  readonly tenantId?: string | undefined
  /** The caller, as events report it. */
  readonly info?: Fields
}

export interface ApiResult extends ApiResponse {
  /** The transactions that the call ran. */
  readonly transactions: readonly EndedTransaction[]
}

// The first route that matches answers. So routes with a fixed word come before those with an id in its place.
const routes: readonly Route[] = [
  ...emulatorRoutes,
  ...tenants,
  ...applications,
  ...registrations,
  ...actions,
  ...passwords,
  ...verification,
  ...twoFactor,
  ...users,
  ...logins,
  ...tokens,
  ...identityProviders,
  ...groups,
  ...entities,
  ...userActions,
  ...webhooks,
  ...keys,
  ...apiKeys,
  ...auditLogs,
  ...eventLogs,
  ...systemConfiguration,
]

const match = router(routes)

function notEmulated(method: string, path: string): ApiResponse {
  const message = `The Fusewire emulator does not emulate ${method} ${path}. Nothing was done.`
  return generalError('[notEmulated]', message, 501).answer
}

/** Answers an API call. Rejects only for a defect of the emulator. */
export async function callApi(state: EmulatorState, asked: ApiRequest): Promise<ApiResult> {
  const transactions: EndedTransaction[] = []
  return { ...(await respondTo(state, asked, transactions)), transactions }
}

async function respondTo(
  state: EmulatorState,
  asked: ApiRequest,
  transactions: EndedTransaction[],
): Promise<ApiResponse> {
  const { method, url, authorization, tenantId, body, info = {} } = asked
  const parsed = new URL(`http://emulator${url}`)
  const [key] = authorization === undefined ? [] : state.rows.apiKeys.by('uniqueKey', authorization)
  const found = match(method, parsed.pathname)
  if (found === undefined) {
    return key === undefined ? { status: 401 } : notEmulated(method, parsed.pathname)
  }
  const { route, params } = found
  const opened = key !== undefined && permits(key, route)
  if (!opened && route.open !== true) return { status: 401 }
  if (tooDeep(body)) return generalError('[invalidJSON]', 'The JSON body nests too deep.').answer
  const call: Call = {
    state,
    method,
    path: parsed.pathname,
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, canonical(value)])),
    query: parsed.searchParams,
    body: fields(body),
    operations: Array.isArray(body) ? body : undefined,
    authorization,
    key: opened ? key : undefined,
    tenantHeader: tenantId === undefined ? undefined : canonical(tenantId),
    info,
    transactions,
  }
  if (body !== undefined && !isFields(body) && !(method === 'PATCH' && Array.isArray(body))) {
    return generalError('[invalidJSON]', 'The JSON body must be an object.').answer
  }
  try {
    return await route.handle(call)
  } catch (error) {
    if (error instanceof ApiError) return error.answer
    if (error instanceof LockTimeout) return generalError('[retryableConflict]', error.message, 409).answer
    throw error
  }
}

const canonical = (id: string): string => (isUuid(id) ? id.toLowerCase() : id)
