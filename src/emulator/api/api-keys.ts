import { randomBytes } from 'node:crypto'
import { fields, isFields, text, texts } from '../json.ts'
import type { ApiKey } from '../state/rows.ts'
import { routesOf, type Resource } from './resource.ts'
import type { Route } from './route.ts'

const resource: Resource<ApiKey> = {
  one: 'apiKey',
  many: 'apiKeys',
  path: '/api/api-key',
  view: (rows) => rows.apiKeys,
  write: (draft, row) => draft.rows.apiKeys.put(row),
  erase: (draft, row) => draft.rows.apiKeys.remove(row.id),
  read({ input, base, before, draft, problems }) {
    const tenantId = text(input['tenantId'])
    if (tenantId !== undefined && draft.rows.tenants.get(tenantId) === undefined) {
      problems.add('apiKey.tenantId', 'invalid', `There is no Tenant with the id [${tenantId}].`)
    }
    const key = before?.key ?? text(input['key']) ?? randomBytes(32).toString('base64url')
    if (draft.rows.apiKeys.by('uniqueKey', key).some(({ id }) => id !== base.id)) {
      problems.add('apiKey.key', 'duplicate', 'This key exists already.')
    }
    return { ...input, ...base, key, tenantId, permissions: permissionsOf(input['permissions']) }
  },
}

export function permissionsOf(value: unknown): ApiKey['permissions'] {
  if (!isFields(value)) return undefined
  const endpoints = Object.entries(fields(value['endpoints']))
  return { endpoints: Object.fromEntries(endpoints.map(([path, methods]) => [path, texts(methods)])) }
}

/** Whether a key opens a call. A key without any permission is unrestricted. Webhooks and their logs belong to no tenant. */
export function opens(key: ApiKey, { method, path }: Route): boolean {
  const endpoint = path.replace(/\/:[^/]+/g, '')
  if (key.tenantId !== undefined && /^\/api\/(webhook|system\/webhook-)/.test(endpoint)) return false
  const allowed = key.permissions?.endpoints ?? {}
  return Object.keys(allowed).length === 0 || allowed[endpoint]?.includes(method) === true
}

export const apiKeys: readonly Route[] = routesOf(resource)
