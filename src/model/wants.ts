import type { ParsedEvent } from './registered-handler.ts'

/** What a handler asks for, decided from the event's type, tenant and applications alone. */
export interface Filter {
  readonly types: readonly string[] | '*'
  readonly tenantIds?: readonly string[]
  readonly applicationIds?: readonly string[]
}

export function wants({ types, tenantIds, applicationIds }: Filter, event: ParsedEvent): boolean {
  if (types !== '*' && !types.includes(event.type)) return false
  if (tenantIds !== undefined && !tenantIds.includes(String(event.tenantId).toLowerCase())) return false
  return applicationIds === undefined || applicationsOf(event).some((id) => applicationIds.includes(id))
}

/** Every application the event names, in lower case. */
export function applicationsOf(event: ParsedEvent): readonly string[] {
  const { applicationId, applicationIds } = event
  const named = [applicationId, ...(Array.isArray(applicationIds) ? applicationIds : [])]
  return named.filter((id) => typeof id === 'string').map((id) => id.toLowerCase())
}
