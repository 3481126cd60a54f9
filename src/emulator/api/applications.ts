import { randomUUID } from 'node:crypto'
import { fields, isFields, text, texts, type Fields } from '../fields.ts'
import type { Application, Role } from '../state/tables.ts'
import type { Transaction } from '../system/event-system.ts'
import { notFoundError, ok, Problems } from './api-response.ts'
import { inTransaction } from './in-transaction.ts'
import { firePublicKeyUpdate } from './fire-public-key-update.ts'
import { nameOf, newId, routesOf, type Resource } from './resource.ts'
import { get, patch, post, put, remove, type Call, type Route } from './route.ts'
import { searchCriteria, equals, matches } from './search-criteria.ts'
import { page } from './page.ts'
import { requireVisible, isVisible, tenantOf } from './tenant-of.ts'

const resource: Resource<Application> = {
  one: 'application',
  many: 'applications',
  path: '/api/application',
  view: (rows) => rows.applications,
  write: (tx, row) => tx.rows.applications.put(row),
  erase: (tx, row) => tx.rows.applications.remove(row.id),
  read(reader) {
    const { input, tx, base, before, call } = reader
    const tenantId = before?.tenantId ?? tenantOf(call).id
    const others = tx.rows.applications.by('tenant', tenantId)
    return {
      ...input,
      ...base,
      tenantId,
      name: nameOf(reader, 'application.name', others),
      active: before?.active ?? true,
      data: fields(input['data']),
      roles: Array.isArray(input['roles']) ? input['roles'].flatMap(roleOf) : (before?.roles ?? []),
      jwtConfiguration: isFields(input['jwtConfiguration']) ? input['jwtConfiguration'] : undefined,
    }
  },
  afterWrite(application, before, call, tx) {
    bindWebhooks(application, call, tx)
    firePublicKeyUpdate(tx, application, before, [application])
  },
}

function roleOf(value: unknown): Role[] {
  const name = text(fields(value)['name'])
  if (name === undefined) return []
  const { id, isDefault } = fields(value)
  return [{ ...fields(value), id: text(id) ?? randomUUID(), name, isDefault: isDefault === true }]
}

/** Until FusionAuth 1.36, `webhookIds` next to the application named the webhooks that belong to it. */
function bindWebhooks(application: Application, call: Call, tx: Transaction): void {
  const { webhookIds } = call.body
  if (call.state.rules.compatibility !== '1.36' || webhookIds === undefined) return
  const wanted = texts(webhookIds)
  for (const webhook of tx.rows.webhooks.all()) {
    const others = (webhook.applicationIds ?? []).filter((id) => id !== application.id)
    const applicationIds = wanted.includes(webhook.id) ? [...others, application.id] : others
    tx.rows.webhooks.put({ ...webhook, applicationIds })
  }
}

const lookup = (call: Call, tx: Transaction): Application =>
  requireVisible(call, tx.rows.applications.get(call.params['id'] ?? ''))

/** Deactivates; with `hardDelete` deletes the application and its registrations. FusionAuth sends no event for it. */
function removeApplication(call: Call) {
  return inTransaction(call, (tx) => {
    const application = lookup(call, tx)
    if (call.query.get('hardDelete') !== 'true') {
      tx.rows.applications.put({ ...application, active: false, lastUpdateInstant: tx.now })
      return ok()
    }
    for (const user of tx.rows.users.by('tenant', application.tenantId)) {
      const registrations = user.registrations.filter((one) => one.applicationId !== application.id)
      if (registrations.length < user.registrations.length) tx.rows.users.put({ ...user, registrations })
    }
    tx.rows.applications.remove(application.id)
    return ok()
  })
}

function reactivate(call: Call, tx: Transaction) {
  const application = { ...lookup(call, tx), active: true, lastUpdateInstant: tx.now }
  tx.rows.applications.put(application)
  return ok({ application })
}

/** Creates, replaces and patches a role in the same way, because a role has no fields that a PUT would clear. */
function writeRole(call: Call) {
  return inTransaction(call, (tx) => {
    const application = lookup(call, tx)
    const problems = new Problems()
    const input = fields(call.body['role'])
    const id = newId(call.params['roleId'] ?? input['id'], 'role.id', problems)
    const before = application.roles.find((role) => role.id === id)
    if (call.method !== 'POST' && before === undefined) throw notFoundError()
    const name = text(input['name']) ?? before?.name ?? ''
    if (name === '') problems.blank('role.name')
    if (application.roles.some((role) => role.name === name && role.id !== id)) {
      problems.add('role.name', 'duplicate', `The role [${name}] already exists.`)
    }
    problems.throwIfAny()
    const role: Role = { ...before, ...input, id, name, isDefault: input['isDefault'] === true }
    const roles = [...application.roles.filter((other) => other.id !== id), role]
    tx.rows.applications.put({ ...application, roles, lastUpdateInstant: tx.now })
    return ok({ role })
  })
}

function removeRole(call: Call) {
  return inTransaction(call, (tx) => {
    const application = lookup(call, tx)
    const wanted = call.params['roleId'] ?? call.query.get('name')
    const roles = application.roles.filter((role) => role.id !== wanted && role.name !== wanted)
    if (roles.length === application.roles.length) throw notFoundError()
    tx.rows.applications.put({ ...application, roles, lastUpdateInstant: tx.now })
    return ok()
  })
}

function list(call: Call) {
  const inactive = call.query.get('inactive') === 'true'
  const all = call.state.rows.applications.all()
  return ok({ applications: all.filter((one) => isVisible(call, one) && one.active !== inactive) })
}

function search(call: Call) {
  const criteria: Fields = searchCriteria(call)
  const rows = call.state.rows.applications
    .all()
    .filter((one) => isVisible(call, one) && matches(criteria['name'], one.name))
    .filter((one) => equals(criteria['tenantId'], one.tenantId))
  const result = page(rows, criteria, ['name', 'id', 'insertInstant'], 'name ASC')
  return ok({ applications: result.rows, total: result.total })
}

const [create, retrieve, replace, update] = routesOf(resource)

export const applications: readonly Route[] = [
  post('/api/application/search', search),
  get('/api/application/search', search),
  get('/api/application', list),
  post('/api/application/:id/role/:roleId?', writeRole),
  put('/api/application/:id/role/:roleId', writeRole),
  patch('/api/application/:id/role/:roleId', writeRole),
  remove('/api/application/:id/role/:roleId?', removeRole),
  ...[create, retrieve, update].filter((route) => route !== undefined),
  put('/api/application/:id', (call) => {
    if (call.query.get('reactivate') === 'true') return inTransaction(call, (tx) => reactivate(call, tx))
    return replace?.handle(call) ?? { status: 404 }
  }),
  remove('/api/application/:id', removeApplication),
]
