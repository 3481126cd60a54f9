import { catalogue } from '../../events/catalogue.ts'
import type { Webhook } from '../state/rows.ts'
import type { Reading } from '../state/store.ts'
import type { Fired } from './fired.ts'
import type { Level } from './levels.ts'

/** The FusionAuth whose rules hold: today's, or those of 1.36, where webhooks were bound to applications. */
export type Compatibility = 'current' | '1.36'

/**
 * Who receives an event. Today three gates are all needed: the tenant enables the type, the webhook enables it, and the webhook is
 * global or the tenant's. Events of the instance need the second only. An audit log that names a tenant goes to that tenant's webhooks;
 * the first gate cannot be asked for it, because FusionAuth does not keep instance types in a tenant's event configuration.
 */
export function receiversOf(fired: Fired, rows: Reading, compatibility: Compatibility): readonly Webhook[] {
  const { type, tenantId } = fired
  const instance = catalogue[type].scope === 'instance'
  if (!instance && !settingOf(fired, rows)?.enabled) return []
  return rows.webhooks.all().filter((webhook) => {
    if (webhook.eventsEnabled[type] !== true) return false
    if (tenantId === undefined || webhook.global) return true
    return compatibility === '1.36' ? isBoundTo(webhook, fired) : webhook.tenantIds.includes(tenantId)
  })
}

/** Until 1.36 a webhook could be bound to applications; events that are about no application went to every webhook, of every tenant. */
function isBoundTo(webhook: Webhook, { type, applicationIds = [] }: Fired): boolean {
  if (catalogue[type].scope !== 'application or tenant' || applicationIds.length === 0) return true
  return applicationIds.some((id) => webhook.applicationIds?.includes(id))
}

/** The tenant's setting for this type decides; in 1.36 a user action's own came first. */
export function levelOf(fired: Fired, rows: Reading, compatibility: Compatibility): Level {
  if (!catalogue[fired.type].transactional) return 'None'
  if (compatibility === '1.36' && fired.level !== undefined) return fired.level
  return settingOf(fired, rows)?.transactionType ?? 'None'
}

function settingOf(fired: Fired, rows: Reading) {
  if (fired.tenantId === undefined) return undefined
  return rows.tenants.get(fired.tenantId)?.eventConfiguration.events[fired.type]
}
