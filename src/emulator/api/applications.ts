import { randomUUID } from 'node:crypto'
import { fields, isFields, text, texts, type Fields } from '../json.ts'
import type { Application, Role } from '../state/rows.ts'
import type { Draft } from '../system/event-system.ts'
import { missing, ok, Problems } from './answer.ts'
import { change } from './change.ts'
import { firePublicKeyUpdate } from './public-keys.ts'
import { nameOf, newId, routesOf, type Resource } from './resource.ts'
import { get, patch, post, put, remove, type Call, type Route } from './route.ts'
import { criteriaOf, equals, matches, page } from './search.ts'
import { found, isVisible, tenantOf } from './tenancy.ts'

const resource: Resource<Application> = {
  one: 'application',
  many: 'applications',
  path: '/api/application',
  view: (rows) => rows.applications,
  write: (draft, row) => draft.rows.applications.put(row),
  erase: (draft, row) => draft.rows.applications.remove(row.id),
  read(reader) {
    const { input, draft, base, before, call } = reader
    const tenantId = before?.tenantId ?? tenantOf(call).id
    const others = draft.rows.applications.by('tenant', tenantId)
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
  written(application, before, call, draft) {
    bindWebhooks(application, call, draft)
    firePublicKeyUpdate(draft, application, before, [application])
  },
}

function roleOf(value: unknown): Role[] {
  const name = text(fields(value)['name'])
  if (name === undefined) return []
  const { id, isDefault } = fields(value)
  return [{ ...fields(value), id: text(id) ?? randomUUID(), name, isDefault: isDefault === true }]
}

/** Until FusionAuth 1.36, `webhookIds` beside the application said which webhooks are bound to it. */
function bindWebhooks(application: Application, call: Call, draft: Draft): void {
  const { webhookIds } = call.body
  if (call.world.rules.compatibility !== '1.36' || webhookIds === undefined) return
  const wanted = texts(webhookIds)
  for (const webhook of draft.rows.webhooks.all()) {
    const others = (webhook.applicationIds ?? []).filter((id) => id !== application.id)
    const applicationIds = wanted.includes(webhook.id) ? [...others, application.id] : others
    draft.rows.webhooks.put({ ...webhook, applicationIds })
  }
}

const lookup = (call: Call, draft: Draft): Application =>
  found(call, draft.rows.applications.get(call.params['id'] ?? ''))

/** Deactivates, or deletes with `hardDelete`, and with it every registration. No event tells of it. */
function removeApplication(call: Call) {
  return change(call, (draft) => {
    const application = lookup(call, draft)
    if (call.query.get('hardDelete') !== 'true') {
      draft.rows.applications.put({ ...application, active: false, lastUpdateInstant: draft.now })
      return ok()
    }
    for (const user of draft.rows.users.by('tenant', application.tenantId)) {
      const registrations = user.registrations.filter((one) => one.applicationId !== application.id)
      if (registrations.length < user.registrations.length) draft.rows.users.put({ ...user, registrations })
    }
    draft.rows.applications.remove(application.id)
    return ok()
  })
}

function reactivate(call: Call, draft: Draft) {
  const application = { ...lookup(call, draft), active: true, lastUpdateInstant: draft.now }
  draft.rows.applications.put(application)
  return ok({ application })
}

/** Creates, replaces and patches a role in the same way: a role has no fields that a PUT would have to clear. */
function writeRole(call: Call) {
  return change(call, (draft) => {
    const application = lookup(call, draft)
    const problems = new Problems()
    const input = fields(call.body['role'])
    const id = newId(call.params['roleId'] ?? input['id'], 'role.id', problems)
    const before = application.roles.find((role) => role.id === id)
    if (call.method !== 'POST' && before === undefined) throw missing()
    const name = text(input['name']) ?? before?.name ?? ''
    if (name === '') problems.blank('role.name')
    if (application.roles.some((role) => role.name === name && role.id !== id)) {
      problems.add('role.name', 'duplicate', `The role [${name}] already exists.`)
    }
    problems.throwIfAny()
    const role: Role = { ...before, ...input, id, name, isDefault: input['isDefault'] === true }
    const roles = [...application.roles.filter((other) => other.id !== id), role]
    draft.rows.applications.put({ ...application, roles, lastUpdateInstant: draft.now })
    return ok({ role })
  })
}

function removeRole(call: Call) {
  return change(call, (draft) => {
    const application = lookup(call, draft)
    const wanted = call.params['roleId'] ?? call.query.get('name')
    const roles = application.roles.filter((role) => role.id !== wanted && role.name !== wanted)
    if (roles.length === application.roles.length) throw missing()
    draft.rows.applications.put({ ...application, roles, lastUpdateInstant: draft.now })
    return ok()
  })
}

function list(call: Call) {
  const inactive = call.query.get('inactive') === 'true'
  const all = call.world.rows.applications.all()
  return ok({ applications: all.filter((one) => isVisible(call, one) && one.active !== inactive) })
}

function search(call: Call) {
  const criteria: Fields = criteriaOf(call)
  const rows = call.world.rows.applications
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
    if (call.query.get('reactivate') === 'true') return change(call, (draft) => reactivate(call, draft))
    return replace?.handle(call) ?? { status: 404 }
  }),
  remove('/api/application/:id', removeApplication),
]
