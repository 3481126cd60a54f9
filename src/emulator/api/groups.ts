import { randomUUID } from 'node:crypto'
import type { EventType } from '../../events/types.ts'
import { fields, isFields, text, texts, type Fields } from '../fields.ts'
import type { Group, Member, Role } from '../state/tables.ts'
import type { Transaction } from '../system/event-system.ts'
import { generalError, notFoundError, ok, Problems, type ApiResponse } from './api-response.ts'
import { inTransaction } from './in-transaction.ts'
import { nameOf, routesOf, type Reader, type Resource } from './resource.ts'
import { get, post, put, remove, type Call, type Route } from './route.ts'
import { searchCriteria, equals, matches } from './search-criteria.ts'
import { page } from './page.ts'
import { requireVisible, isVisible, tenantOf } from './tenant-of.ts'

const resource: Resource<Group> = {
  one: 'group',
  many: 'groups',
  path: '/api/group',
  events: { create: 'group.create', update: 'group.update', delete: 'group.delete' },
  view: (rows) => rows.groups,
  write: (tx, row) => tx.rows.groups.put(row),
  erase(tx, row) {
    for (const { id } of tx.rows.members.by('group', row.id)) tx.rows.members.remove(id)
    tx.rows.groups.remove(row.id)
  },
  read(reader) {
    const { input, base, before, tx, call } = reader
    const tenantId = before?.tenantId ?? tenantOf(call).id
    const others = tx.rows.groups.by('tenant', tenantId)
    return {
      ...input,
      ...base,
      tenantId,
      name: nameOf(reader, 'group.name', others),
      data: fields(input['data']),
      roles: rolesOf(reader),
    }
  },
}

/** The roles that a group gives its members, by application, from the `roleIds` next to the group. A PATCH without them keeps the roles. */
function rolesOf({ call, before, tx, problems }: Reader<Group>): Record<string, readonly Role[]> {
  if (call.body['roleIds'] === undefined) return call.method === 'PATCH' ? { ...before?.roles } : {}
  const ids = texts(call.body['roleIds'])
  const applications = tx.rows.applications.all()
  const given = applications.map(
    ({ id, roles }) => [id, roles.filter((role) => ids.includes(role.id))] as const,
  )
  const known = given.flatMap(([, roles]) => roles.map((role) => role.id))
  if (!ids.every((id) => known.includes(id))) {
    problems.add('roleIds', 'invalid', 'One of the roles does not exist.')
  }
  return Object.fromEntries(given.filter(([, roles]) => roles.length > 0))
}

function about(type: EventType, group: Group, members: readonly Member[]) {
  return { type, tenantId: group.tenantId, linkedObjectId: group.id, fields: { group, members } }
}

/** Reads `{groupId: [{userId, data}]}`: the groups, and the members to add. */
function requested(call: Call, tx: Transaction): { group: Group; wanted: Member[] }[] {
  const members = call.body['members']
  const problems = new Problems()
  if (!isFields(members) || Object.keys(members).length === 0) problems.blank('members')
  problems.throwIfAny()
  return Object.entries(fields(members)).map(([groupId, list]) => {
    const group = requireVisible(call, tx.rows.groups.get(groupId.toLowerCase()))
    const wanted = (Array.isArray(list) ? list : []).map((one: unknown) =>
      member(tx, group, fields(one), problems),
    )
    problems.throwIfAny()
    return { group, wanted }
  })
}

function member(tx: Transaction, group: Group, input: Fields, problems: Problems): Member {
  const userId = text(input['userId'])?.toLowerCase() ?? ''
  if (userId === '') problems.blank('members.userId')
  else if (tx.rows.users.get(userId)?.tenantId !== group.tenantId) {
    problems.add(
      'members.userId',
      'invalid',
      `There is no User with the id [${userId}] in the Group's Tenant.`,
    )
  }
  const id = text(input['id']) ?? randomUUID()
  return { id, groupId: group.id, userId, insertInstant: tx.now, data: fields(input['data']) }
}

function add(call: Call) {
  return inTransaction(call, (tx) => {
    const members: Record<string, readonly Member[]> = {}
    for (const { group, wanted } of requested(call, tx)) {
      const present = new Set(tx.rows.members.by('group', group.id).map(({ userId }) => userId))
      const added = wanted.filter(({ userId }) => !present.has(userId))
      for (const one of added) tx.rows.members.put(one)
      if (added.length > 0) tx.fire(about('group.member.add', group, added))
      members[group.id] = added
    }
    return ok({ members })
  })
}

function replace(call: Call) {
  return inTransaction(call, (tx) => {
    const members: Record<string, readonly Member[]> = {}
    for (const { group, wanted } of requested(call, tx)) {
      for (const { id } of tx.rows.members.by('group', group.id)) tx.rows.members.remove(id)
      for (const one of wanted) tx.rows.members.put(one)
      tx.fire(about('group.member.update', group, wanted))
      members[group.id] = wanted
    }
    return ok({ members })
  })
}

/** When a group becomes empty, FusionAuth sends an update of its members instead of a removal. */
function removeMembers(call: Call) {
  return inTransaction(call, (tx) => {
    for (const [groupId, leaving] of leavingOf(call, tx)) {
      const group = requireVisible(call, tx.rows.groups.get(groupId))
      for (const { id } of leaving) tx.rows.members.remove(id)
      const left = tx.rows.members.by('group', groupId)
      if (left.length === 0) tx.fire(about('group.member.update', group, []))
      else tx.fire(about('group.member.remove', group, leaving))
    }
    return ok()
  })
}

/** The members that a request removes: by membership, by user of a group, or all of a group. */
function leavingOf(call: Call, tx: Transaction): Map<string, Member[]> {
  const { members } = tx.rows
  const ids = [...texts(call.body['memberIds']), ...call.query.getAll('memberId')]
  const groupId = call.query.get('groupId')
  const userIds = call.query.getAll('userId')
  const inGroup = (id: string, users: readonly string[]) =>
    members.by('group', id).filter(({ userId }) => users.includes(userId))
  const leaving = [
    ...ids.flatMap((id) => members.get(id) ?? []),
    ...Object.entries(fields(call.body['members'])).flatMap(([id, users]) =>
      inGroup(id.toLowerCase(), texts(users)),
    ),
    ...(groupId === null
      ? []
      : userIds.length > 0
        ? inGroup(groupId, userIds)
        : members.by('group', groupId)),
  ]
  if (leaving.length === 0) {
    if (ids.length > 0 || groupId !== null || isFields(call.body['members'])) throw notFoundError()
    throw generalError('[missing]', 'Name the members by memberIds or members.')
  }
  return Map.groupBy(new Set(leaving), (one) => one.groupId)
}

function search(call: Call): ApiResponse {
  const criteria = searchCriteria(call)
  const rows = call.state.rows.groups
    .all()
    .filter((group) => isVisible(call, group) && matches(criteria['name'], group.name))
    .filter((group) => equals(criteria['tenantId'], group.tenantId))
  const result = page(rows, criteria, ['id', 'insertInstant', 'name', 'tenantId'], 'name ASC')
  return ok({ groups: result.rows, total: result.total })
}

function searchMembers(call: Call): ApiResponse {
  const criteria = searchCriteria(call)
  const rows = call.state.rows.members
    .all()
    .filter((one) => equals(criteria['groupId'], one.groupId) && equals(criteria['userId'], one.userId))
  const result = page(rows, criteria, ['groupId', 'id', 'insertInstant', 'userId'], 'insertInstant ASC')
  return ok({ members: result.rows, total: result.total })
}

export const groups: readonly Route[] = [
  post('/api/group/search', search),
  get('/api/group/search', search),
  post('/api/group/member/search', searchMembers),
  get('/api/group/member/search', searchMembers),
  post('/api/group/member', add),
  put('/api/group/member', replace),
  remove('/api/group/member', removeMembers),
  ...routesOf(resource),
]
