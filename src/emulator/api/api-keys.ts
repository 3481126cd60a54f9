import { randomBytes } from 'node:crypto'
import { fields, isFields, text, texts } from '../fields.ts'
import type { ApiKey } from '../state/tables.ts'
import { routesOf, type Resource } from './resource.ts'
import type { Route } from './route.ts'

const resource: Resource<ApiKey> = {
  one: 'apiKey',
  many: 'apiKeys',
  path: '/api/api-key',
  view: (rows) => rows.apiKeys,
  write: (tx, row) => tx.rows.apiKeys.put(row),
  erase: (tx, row) => tx.rows.apiKeys.remove(row.id),
  read({ input, base, before, tx, problems }) {
    const tenantId = text(input['tenantId'])
    if (tenantId !== undefined && tx.rows.tenants.get(tenantId) === undefined) {
      problems.add('apiKey.tenantId', 'invalid', `There is no Tenant with the id [${tenantId}].`)
    }
    const key = before?.key ?? text(input['key']) ?? randomBytes(32).toString('base64url')
    if (tx.rows.apiKeys.by('uniqueKey', key).some(({ id }) => id !== base.id)) {
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

/** Whether a key permits a call. A key without permissions is unrestricted. Webhooks and their logs belong to no tenant. */
export function permits(key: ApiKey, { method, path }: Route): boolean {
  const endpoint = path.replace(/\/:[^/]+/g, '')
  if (key.tenantId !== undefined && /^\/api\/(webhook|system\/webhook-)/.test(endpoint)) return false
  const allowed = key.permissions?.endpoints ?? {}
  return Object.keys(allowed).length === 0 || allowed[endpoint]?.includes(method) === true
}

export const apiKeys: readonly Route[] = routesOf(resource)
