import type { Arrival } from './arrival.ts'
import type { ParsedEvent } from './parsed-event.ts'
import type { Subscription } from './subscription.ts'

/** Whether a subscription asks for an event, decided from the event's type, tenant and applications alone. */
export function wants(
  subscription: Pick<Subscription, 'types' | 'tenantIds' | 'applicationIds'>,
  arrival: Pick<Arrival, 'type' | 'key' | 'applicationIds'>,
): boolean {
  const { types, tenantIds, applicationIds } = subscription
  return (
    (types === '*' || types.includes(arrival.type)) &&
    (tenantIds === undefined || tenantIds.includes(arrival.key.tenantId)) &&
    (applicationIds === undefined || arrival.applicationIds.some((id) => applicationIds.includes(id)))
  )
}

/** Every application the event names, in lower case. */
export function applicationsOf(event: ParsedEvent): readonly string[] {
  const { applicationId, applicationIds } = event
  const named = [applicationId, ...(Array.isArray(applicationIds) ? applicationIds : [])]
  return named.filter((id) => typeof id === 'string').map((id) => id.toLowerCase())
}
