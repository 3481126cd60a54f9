import { catalogue, isEventType } from '../../events/catalogue.ts'
import { fields, isFields, texts, type Fields } from '../fields.ts'
import type { EventSetting, Tenant } from '../state/tables.ts'
import type { Transaction } from '../system/event-system.ts'
import { isLevel } from '../system/level.ts'
import { generalError, ok, type Problems } from './api-response.ts'
import { firePublicKeyUpdate } from './fire-public-key-update.ts'
import { nameOf, routesOf, type Resource } from './resource.ts'
import { get, post, type Call, type Route } from './route.ts'
import { searchCriteria, matches } from './search-criteria.ts'
import { page } from './page.ts'

const resource: Resource<Tenant> = {
  one: 'tenant',
  many: 'tenants',
  path: '/api/tenant',
  view: (rows) => rows.tenants,
  write: (tx, row) => tx.rows.tenants.put(row),
  erase(tx, { id }) {
    const { rows } = tx
    if (rows.tenants.all().length === 1) {
      throw generalError('[lastTenant]', 'The only Tenant cannot be deleted.')
    }
    for (const user of rows.users.by('tenant', id)) rows.users.remove(user.id)
    for (const application of rows.applications.by('tenant', id)) rows.applications.remove(application.id)
    for (const group of rows.groups.by('tenant', id)) rows.groups.remove(group.id)
    bind(tx, id, [])
    rows.tenants.remove(id)
  },
  read(reader) {
    const { input, tx, problems, base } = reader
    return {
      ...input,
      ...base,
      name: nameOf(reader, 'tenant.name', tx.rows.tenants.all()),
      data: fields(input['data']),
      eventConfiguration: { events: settings(fields(input['eventConfiguration'])['events'], problems) },
      jwtConfiguration: isFields(input['jwtConfiguration']) ? input['jwtConfiguration'] : undefined,
    }
  },
  afterWrite(tenant, before, call, tx) {
    bindNamed(tenant, before, call, tx)
    firePublicKeyUpdate(tx, tenant, before, tx.rows.applications.by('tenant', tenant.id))
  },
}

/** As FusionAuth stores it: without instance types, and with a level only for transactional types. */
function settings(events: unknown, problems: Problems): Record<string, EventSetting> {
  const kept: Record<string, EventSetting> = {}
  for (const [type, setting] of Object.entries(fields(events))) {
    const { enabled, transactionType = 'None' } = fields(setting)
    const path = `tenant.eventConfiguration.events['${type}']`
    if (!isEventType(type)) problems.add(path, 'couldNotConvert', `[${type}] is not an event type.`)
    else if (!isLevel(transactionType)) {
      problems.add(`${path}.transactionType`, 'couldNotConvert', 'This is not a transaction type.')
    } else if (catalogue[type].scope !== 'instance') {
      const level = catalogue[type].transactional ? transactionType : 'None'
      kept[type] = { enabled: enabled === true, transactionType: level }
    }
  }
  return kept
}

/**
 * `webhookIds` next to the tenant names the webhooks that belong to it. A PUT without it removes the tenant from all webhooks; a PATCH without
 * it changes nothing since FusionAuth 1.48.
 */
function bindNamed(tenant: Tenant, before: Tenant | undefined, call: Call, tx: Transaction): void {
  if (call.state.rules.compatibility === '1.36') return
  const { webhookIds } = call.body
  if (webhookIds === undefined && (call.method === 'PATCH' || before === undefined)) return
  bind(tx, tenant.id, texts(webhookIds))
}

function bind({ rows, now }: Transaction, tenantId: string, webhookIds: readonly string[]): void {
  for (const webhook of rows.webhooks.all()) {
    const wanted = webhookIds.includes(webhook.id)
    if (webhook.global || wanted === webhook.tenantIds.includes(tenantId)) continue
    const others = webhook.tenantIds.filter((id) => id !== tenantId)
    const tenantIds = wanted ? [...others, tenantId] : others
    rows.webhooks.put({ ...webhook, tenantIds, lastUpdateInstant: now })
  }
}

function search(call: Call) {
  const criteria: Fields = searchCriteria(call)
  const rows = call.state.rows.tenants.all().filter((tenant) => matches(criteria['name'], tenant.name))
  const found = page(rows, criteria, ['name', 'id', 'insertInstant'], 'name ASC')
  return ok({ tenants: found.rows, total: found.total })
}

export const tenants: readonly Route[] = [
  post('/api/tenant/search', search),
  get('/api/tenant/search', search),
  ...routesOf(resource),
]
