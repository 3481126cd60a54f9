import { randomUUID } from 'node:crypto'
import { type FusewireError, wrongOption } from '../model/errors.ts'
import { callApi } from './api/call-api.ts'
import { permissionsOf } from './api/api-keys.ts'
import { fields, isFields, text } from './fields.ts'
import type { EmulatorState } from './emulator-state.ts'

/** The contents of a FusionAuth kickstart file. */
export interface Kickstart {
  /** Texts by name, for `#{name}` in what follows. */
  readonly variables?: Readonly<Record<string, string>>
  /** API keys to make: `key`, `description`, `permissions`, `tenantId`. */
  readonly apiKeys?: readonly Readonly<Record<string, unknown>>[]
  /** Calls of the API to make, in order: `method`, `url`, `body`, `tenantId`. */
  readonly requests?: readonly Readonly<Record<string, unknown>>[]
}

/** The environment variables that a kickstart file may read. Besides FUSIONAUTH_* only those in `names`, because others may be secrets of the process. */
export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly names: readonly string[]
}

/** The id that a kickstart file fixes for the default tenant. */
export function defaultTenantIdOf(kickstart: Kickstart | undefined): string | undefined {
  return text(kickstart?.variables?.['defaultTenantId'])?.toLowerCase()
}

/** Creates the API keys and sends the requests of a kickstart file, in order, then sends `kickstart.success`. Throws at the first that fails. */
export async function runKickstart(
  state: EmulatorState,
  apiKey: string,
  kickstart: Kickstart,
  env: Environment,
): Promise<void> {
  const known = new Map([
    ['FUSIONAUTH_APPLICATION_ID', '3c219e58-ed0e-4b18-ad48-f4f92793ae32'],
    ['FUSIONAUTH_TENANT_ID', state.defaultTenantId],
  ])
  const fill = (value: string) => substituted(value, known, env)
  for (const [name, value] of Object.entries(kickstart.variables ?? {})) known.set(name, fill(value))

  state.store.write((rows) => {
    for (const given of kickstart.apiKeys ?? []) {
      const { key, description, permissions, tenantId } = fields(filled(given, fill))
      if (typeof key !== 'string') throw failure('every entry of apiKeys needs a key')
      const made = { id: randomUUID(), key, name: description, tenantId: text(tenantId) }
      rows.apiKeys.put({ ...made, permissions: permissionsOf(permissions) })
    }
  })
  const first = text(fields(filled(kickstart.apiKeys?.[0], fill))['key']) ?? apiKey
  for (const [index, request] of (kickstart.requests ?? []).entries()) {
    const { method, url, body, tenantId } = fields(filled(request, fill))
    if (typeof method !== 'string' || !['POST', 'PUT', 'PATCH'].includes(method) || typeof url !== 'string') {
      throw failure(`request ${index + 1} needs a url and the method POST, PUT or PATCH`)
    }
    const answer = await callApi(state, { method, url, body, authorization: first, tenantId: text(tenantId) })
    if (answer.status !== 200) {
      const why = answer.body === undefined ? '' : `: ${JSON.stringify(answer.body)}`
      throw failure(`request ${index + 1}, ${method} ${url}, was answered ${answer.status}${why}`)
    }
  }
  await state.events.runTransaction((tx) =>
    tx.fire({ type: 'kickstart.success', fields: { instanceId: randomUUID() } }),
  )
}

function failure(why: string): FusewireError {
  return wrongOption('kickstart', `The kickstart file failed: ${why}.`)
}

/** `#{name}`, `#{ENV.NAME}` and `#{UUID()}` replaced. */
function substituted(value: string, known: ReadonlyMap<string, string>, env: Environment): string {
  return value.replace(/#\{([^}]*)\}/g, (_, name: string) => {
    if (name === 'UUID()') return randomUUID()
    const variable = name.startsWith('ENV.') ? variableOf(name.slice(4), env) : known.get(name)
    if (variable === undefined) throw failure(`#{${name}} is not defined`)
    return variable
  })
}

function variableOf(name: string, { variables, names }: Environment): string | undefined {
  if (!name.startsWith('FUSIONAUTH_') && !names.includes(name)) {
    throw failure(`it asks for the environment variable ${name}; allow it by name to hand it out`)
  }
  return variables[name]
}

function filled(value: unknown, fill: (value: string) => string): unknown {
  if (typeof value === 'string') return fill(value)
  if (Array.isArray(value)) return value.map((one: unknown) => filled(one, fill))
  if (!isFields(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, fill)]))
}
