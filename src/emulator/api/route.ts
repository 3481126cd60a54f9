import type { Fields } from '../fields.ts'
import type { ApiKey } from '../state/tables.ts'
import type { Dispatch } from '../system/event-system.ts'
import type { EmulatorState } from '../emulator-state.ts'
import type { ApiResponse } from './api-response.ts'

/** One API call, read and authenticated. */
export interface Call {
  readonly state: EmulatorState
  readonly method: string
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Fields
  /** The JSON Patch, when the caller sent one instead of an object. */
  readonly operations?: readonly unknown[] | undefined
  readonly authorization?: string | undefined
  readonly key?: ApiKey | undefined
  readonly tenantHeader?: string | undefined
  /** The caller, as events report it. */
  readonly info: Fields
  /** The transactions of the call, which the library waits for. */
  readonly transactions: EndedTransaction[]
}

export interface EndedTransaction {
  readonly committed: boolean
  readonly settled: Promise<readonly Dispatch[]>
}

export type Handle = (call: Call) => ApiResponse | Promise<ApiResponse>

export interface Route {
  readonly method: string
  /** `:name` is a parameter, `:name?` may be missing. */
  readonly path: string
  readonly handle: Handle
  /** The call needs no API key. */
  readonly open?: boolean
}

export const get = (path: string, handle: Handle): Route => ({ method: 'GET', path, handle })
export const post = (path: string, handle: Handle): Route => ({ method: 'POST', path, handle })
export const put = (path: string, handle: Handle): Route => ({ method: 'PUT', path, handle })
export const patch = (path: string, handle: Handle): Route => ({ method: 'PATCH', path, handle })
export const remove = (path: string, handle: Handle): Route => ({ method: 'DELETE', path, handle })

/** The same route, without the need of an API key. */
export const open = (route: Route): Route => ({ ...route, open: true })

export type Match = { readonly route: Route; readonly params: Record<string, string> }

/** Finds the first route that matches a call. */
export function router(routes: readonly Route[]): (method: string, path: string) => Match | undefined {
  const parsed = routes.map((route) => ({ route, steps: route.path.split('/').slice(1) }))
  const byMethod = Map.groupBy(parsed, ({ route }) => route.method)
  return (method, path) => {
    const given = path.split('/').slice(1)
    if (given.at(-1) === '') given.pop()
    for (const { route, steps } of byMethod.get(method) ?? []) {
      const params = matched(steps, given)
      if (params !== undefined) return { route, params }
    }
    return undefined
  }
}

function matched(steps: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (given.length > steps.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, step] of steps.entries()) {
    const value = given[index]
    if (value === undefined) {
      if (!step.endsWith('?')) return undefined
    } else if (step.startsWith(':')) params[step.replace(/^:|\?$/g, '')] = decoded(value)
    else if (step !== value) return undefined
  }
  return params
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
