import { Conflict } from '../system/event-system.ts'
import { fields, isFields, tooDeep, type Fields } from '../json.ts'
import type { World } from '../world.ts'
import { apiKeys, opens } from './api-keys.ts'
import { generalError, Refusal, type Answer } from './answer.ts'
import { applications } from './applications.ts'
import { auditLogs } from './audit-logs.ts'
import { controls } from './controls.ts'
import { entities } from './entities.ts'
import { eventLogs } from './event-logs.ts'
import { groups } from './groups.ts'
import { keys } from './keys.ts'
import { isUuid } from './resource.ts'
import { router, type Call, type Change, type Route } from './route.ts'
import { systemConfiguration } from './system-configuration.ts'
import { tenants } from './tenants.ts'
import { userActions } from './user-actions.ts'
import { actions } from './users/actions.ts'
import { identityProviders } from './users/identity-providers.ts'
import { logins } from './users/login.ts'
import { passwords } from './users/passwords.ts'
import { registrations } from './users/registration.ts'
import { tokens } from './users/tokens.ts'
import { twoFactor } from './users/two-factor.ts'
import { users } from './users/users.ts'
import { verification } from './users/verification.ts'
import { webhooks } from './webhooks.ts'

/** A request, whatever way it came. */
export interface Asked {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly body?: unknown
  readonly authorization?: string | undefined
  readonly tenantId?: string | undefined
  /** Who asks, for the events. */
  readonly info?: Fields
}

export interface Answered extends Answer {
  /** What the call set in motion. */
  readonly changes: readonly Change[]
}

// Of routes that fit, the first answers: the more particular families come before those with an id in the same place.
const routes: readonly Route[] = [
  ...controls,
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

function notEmulated(method: string, path: string): Answer {
  const message = `The Fusewire emulator does not emulate ${method} ${path}. Nothing was done.`
  return generalError('[notEmulated]', message, 501).answer
}

/** Answers an API call. Rejects only for a defect of ours. */
export async function ask(world: World, asked: Asked): Promise<Answered> {
  const changes: Change[] = []
  return { ...(await answerTo(world, asked, changes)), changes }
}

async function answerTo(world: World, asked: Asked, changes: Change[]): Promise<Answer> {
  const { method, url, authorization, tenantId, body, info = {} } = asked
  const parsed = new URL(`http://emulator${url}`)
  const [key] = authorization === undefined ? [] : world.rows.apiKeys.by('uniqueKey', authorization)
  const found = match(method, parsed.pathname)
  if (found === undefined) {
    return key === undefined ? { status: 401 } : notEmulated(method, parsed.pathname)
  }
  const { route, params } = found
  const opened = key !== undefined && opens(key, route)
  if (!opened && route.open !== true) return { status: 401 }
  if (tooDeep(body)) return generalError('[invalidJSON]', 'The JSON body nests too deep.').answer
  const call: Call = {
    world,
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
    changes,
  }
  if (body !== undefined && !isFields(body) && !(method === 'PATCH' && Array.isArray(body))) {
    return generalError('[invalidJSON]', 'The JSON body must be an object.').answer
  }
  try {
    return await route.handle(call)
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    if (error instanceof Conflict) return generalError('[retryableConflict]', error.message, 409).answer
    throw error
  }
}

const canonical = (id: string): string => (isUuid(id) ? id.toLowerCase() : id)
