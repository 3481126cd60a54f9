import { randomBytes, randomUUID } from 'node:crypto'
import { fields, text, texts, type Fields } from '../fields.ts'
import type { Entity, EntityType, Named } from '../state/tables.ts'
import { ok, type ApiResponse } from './api-response.ts'
import { nameOf, routesOf, type Reader, type Resource } from './resource.ts'
import { get, post, type Call, type Route } from './route.ts'
import { searchCriteria, matches } from './search-criteria.ts'
import { page } from './page.ts'
import { isVisible, tenantOf } from './tenant-of.ts'

const types: Resource<EntityType> = {
  one: 'entityType',
  many: 'entityTypes',
  path: '/api/entity/type',
  view: (rows) => rows.entityTypes,
  write: (tx, row) => tx.rows.entityTypes.put(row),
  erase: (tx, row) => tx.rows.entityTypes.remove(row.id),
  read(reader) {
    const { input, base, tx } = reader
    const given = Array.isArray(input['permissions']) ? input['permissions'] : []
    return {
      ...input,
      ...base,
      name: nameOf(reader, 'entityType.name', tx.rows.entityTypes.all()),
      data: fields(input['data']),
      permissions: given.flatMap(permissionOf),
    }
  },
}

function permissionOf(value: unknown): Named[] {
  const name = text(fields(value)['name'])
  return name === undefined ? [] : [{ ...fields(value), id: text(fields(value)['id']) ?? randomUUID(), name }]
}

const resource: Resource<Entity> = {
  one: 'entity',
  many: 'entities',
  path: '/api/entity',
  events: { create: 'entity.create', update: 'entity.update', delete: 'entity.delete' },
  view: (rows) => rows.entities,
  write: (tx, row) => tx.rows.entities.put(row),
  erase: (tx, row) => tx.rows.entities.remove(row.id),
  read(reader) {
    const { input, base, before, call } = reader
    return {
      ...input,
      ...base,
      tenantId: before?.tenantId ?? tenantOf(call).id,
      name: nameOf(reader, 'entity.name', []),
      data: fields(input['data']),
      clientId: before?.clientId ?? text(input['clientId']) ?? base.id,
      clientSecret:
        text(input['clientSecret']) ?? before?.clientSecret ?? randomBytes(32).toString('base64url'),
      type: typeOf(reader),
    }
  },
}

function typeOf({ input, before, tx, problems }: Reader<Entity>): EntityType | Entity['type'] {
  const id = text(fields(input['type'])['id']) ?? before?.type.id
  const type = id === undefined ? undefined : tx.rows.entityTypes.get(id)
  if (id === undefined) problems.blank('entity.type.id')
  else if (type === undefined) {
    problems.add('entity.type.id', 'invalid', `There is no Entity Type with the id [${id}].`)
  }
  return type ?? { id: id ?? '' }
}

function search(call: Call): ApiResponse {
  const criteria: Fields = searchCriteria(call)
  const ids = call.method === 'GET' ? call.query.getAll('ids') : texts(criteria['ids'])
  const rows = call.state.rows.entities
    .all()
    .filter((entity) => isVisible(call, entity))
    .filter((entity) =>
      ids.length > 0 ? ids.includes(entity.id) : matches(criteria['queryString'], entity.name),
    )
  const result = page(rows, criteria, ['name', 'id', 'insertInstant'], 'name ASC')
  return ok({ entities: result.rows, total: result.total })
}

function searchTypes(call: Call): ApiResponse {
  const criteria = searchCriteria(call)
  const rows = call.state.rows.entityTypes.all().filter((type) => matches(criteria['name'], type.name))
  const result = page(rows, criteria, ['name', 'id', 'insertInstant'], 'name ASC')
  return ok({ entityTypes: result.rows, total: result.total })
}

export const entities: readonly Route[] = [
  post('/api/entity/type/search', searchTypes),
  get('/api/entity/type/search', searchTypes),
  ...routesOf(types),
  post('/api/entity/search', search),
  get('/api/entity/search', search),
  ...routesOf(resource),
]
