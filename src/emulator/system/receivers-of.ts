import { catalogue } from '../../events/catalogue.ts'
import type { Webhook } from '../state/tables.ts'
import type { ReadableTables } from '../state/store.ts'
import type { FiredEvent } from './fired-event.ts'
import type { Level } from './level.ts'

/** The version of FusionAuth to emulate: the current one, or 1.36, where webhooks belonged to applications. */
export type Compatibility = 'current' | '1.36'

/**
 * The webhooks that receive an event. In the current version the tenant must enable the type, the webhook must enable it, and the webhook must
 * be global or belong to the tenant. Events of the instance need only the second. An audit log that names a tenant goes to that tenant's
 * webhooks; the tenant cannot enable it, because FusionAuth stores no instance types in a tenant's event configuration.
 */
export function receiversOf(
  fired: FiredEvent,
  rows: ReadableTables,
  compatibility: Compatibility,
): readonly Webhook[] {
  const { type, tenantId } = fired
  const instance = catalogue[type].scope === 'instance'
  if (!instance && !settingOf(fired, rows)?.enabled) return []
  return rows.webhooks.all().filter((webhook) => {
    if (webhook.eventsEnabled[type] !== true) return false
    if (tenantId === undefined || webhook.global) return true
    return compatibility === '1.36' ? isBoundTo(webhook, fired) : webhook.tenantIds.includes(tenantId)
  })
}

/** Until 1.36 a webhook could belong to applications; events about no application went to every webhook of every tenant. */
function isBoundTo(webhook: Webhook, { type, applicationIds = [] }: FiredEvent): boolean {
  if (catalogue[type].scope !== 'application or tenant' || applicationIds.length === 0) return true
  return applicationIds.some((id) => webhook.applicationIds?.includes(id))
}

/** The tenant's setting for this type; in 1.36 that of a user action took precedence. */
export function levelOf(fired: FiredEvent, rows: ReadableTables, compatibility: Compatibility): Level {
  if (!catalogue[fired.type].transactional) return 'None'
  if (compatibility === '1.36' && fired.level !== undefined) return fired.level
  return settingOf(fired, rows)?.transactionType ?? 'None'
}

function settingOf(fired: FiredEvent, rows: ReadableTables) {
  if (fired.tenantId === undefined) return undefined
  return rows.tenants.get(fired.tenantId)?.eventConfiguration.events[fired.type]
}
