import { fields, isFields, text, texts, whole, word, type Fields } from '../../fields.ts'
import { applyJsonPatch } from '../../apply-json-patch.ts'
import { merge } from '../../merge.ts'
import type { Registration, User } from '../../state/tables.ts'
import type { Transaction } from '../../system/event-system.ts'
import { generalError, notFoundError, notFound, ok, Problems, type ApiResponse } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { newId } from '../resource.ts'
import { get, patch, post, put, remove, type Call, type Route } from '../route.ts'
import { searchCriteria, matches } from '../search-criteria.ts'
import { page } from '../page.ts'
import { isVisible, tenantOf } from '../tenant-of.ts'
import { createCode } from './create-code.ts'
import { composeUser } from './compose-user.ts'
import { createUser, isUser, stamp } from './create-user.ts'
import { userOfLoginId, userOf } from './user-of.ts'
import { checkPassword, plainPassword, putPassword } from './check-password.ts'
import { readRegistration } from './read-registration.ts'
import { deactivateUser, deleteUser } from './delete-user.ts'
import { userEvent } from './user-event.ts'
import { shownUser } from './shown-user.ts'

function create(call: Call) {
  return inTransaction(call, (tx) => {
    const user = createUser(tx, call, call.params['userId'])
    return isUser(user) ? ok(created(tx, user)) : user
  })
}

function created(tx: Transaction, user: User): Fields {
  const emailVerificationId = user.verified
    ? undefined
    : createCode(tx, user, { purpose: 'verify', loginIdType: 'email' })
  return { user: shownUser(user, tx.rows), emailVerificationId }
}

function update(call: Call, tx: Transaction, inputFrom: (before: User) => Fields): ApiResponse {
  const before = userOf(call, tx.rows)
  const input = inputFrom(before)
  const problems = new Problems()
  const base = {
    id: before.id,
    insertInstant: before.insertInstant ?? tx.now,
    lastUpdateInstant: tx.now,
  }
  const tenant = tx.rows.tenants.get(before.tenantId)
  if (tenant === undefined) throw notFoundError()
  const password = plainPassword(input)
  if (password !== undefined) checkPassword(password, 'user.password', problems)
  const composed = composeUser(tx, { input, before, base, tenant, verified: true, problems })
  const refused = problems.answer()
  if (refused !== undefined) return refused
  const user = password === undefined ? composed : { ...composed, passwordLastUpdateInstant: tx.now }
  tx.rows.users.put(user)
  tx.fire(userEvent('user.update', user, tx.rows, { original: shownUser(before, tx.rows) }))
  if (user.email !== before.email) {
    tx.fire(userEvent('user.email.update', user, tx.rows, { previousEmail: before.email }))
  }
  if (password !== undefined) {
    putPassword(tx, user.id, password)
    tx.fire(userEvent('user.password.update', user, tx.rows))
  }
  return ok({ user: shownUser(user, tx.rows) })
}

function given(call: Call): Fields {
  const problems = new Problems()
  if (!isFields(call.body['user'])) problems.blank('user')
  problems.throwIfAny()
  return fields(call.body['user'])
}

function patched(call: Call, before: User): Fields {
  if (call.operations === undefined) return merge(before, given(call))
  const after = applyJsonPatch({ user: before }, call.operations)?.['user']
  if (isFields(after)) return after
  throw generalError('[invalidPatch]', 'The JSON Patch cannot be applied to this object.')
}

function reactivate(call: Call, tx: Transaction): ApiResponse {
  const user = { ...userOf(call, tx.rows), active: true, lastUpdateInstant: tx.now }
  tx.rows.users.put(user)
  tx.fire(userEvent('user.reactivate', user, tx.rows))
  return ok({ user: shownUser(user, tx.rows) })
}

const asked = (call: Call, name: string): boolean =>
  call.query.get(name) === 'true' || call.body[name] === true

function removeOne(call: Call) {
  return inTransaction(call, (tx) => {
    const user = userOf(call, tx.rows)
    if (asked(call, 'hardDelete')) deleteUser(tx, user)
    else deactivateUser(tx, user)
    return ok()
  })
}

/** One transaction for all users; each user has its own events. */
function removeMany(call: Call) {
  return inTransaction(call, (tx) => {
    const ids = [...call.query.getAll('userId'), ...texts(call.body['userIds'])].map((id) => id.toLowerCase())
    const query = call.query.get('queryString') ?? text(call.body['queryString'])
    refuseElasticsearch(call.query.get('query') ?? call.body['query'])
    if (ids.length === 0 && query === undefined) {
      const problems = new Problems()
      problems.blank('userIds')
      problems.throwIfAny()
    }
    const limit = whole(call.body['limit']) ?? 10_000
    const users = tx.rows.users
      .all()
      .filter((user) => isVisible(call, user))
      .filter((user) => ids.includes(user.id) || (query !== undefined && fitsQuery(user, query)))
      .slice(0, limit)
    const [dryRun, hardDelete] = [asked(call, 'dryRun'), asked(call, 'hardDelete')]
    if (!dryRun) for (const user of users) (hardDelete ? deleteUser : deactivateUser)(tx, user)
    return ok({ dryRun, hardDelete, total: users.length, userIds: users.map(({ id }) => id) })
  })
}

/** Creates many users with their registrations, and sends one event for all of them. */
function importMany(call: Call) {
  return inTransaction(call, (tx) => {
    const tenant = tenantOf(call)
    const problems = new Problems()
    const list = Array.isArray(call.body['users']) ? call.body['users'] : []
    if (list.length === 0) problems.blank('users')
    const hashed = call.body['encryptionScheme'] !== undefined
    const seen = new Set<string>()
    const users = list.map((one: unknown) => {
      const input = fields(one)
      const base = stamp(tx, newId(input['id'], 'user.id', problems))
      const composed = composeUser(tx, {
        input,
        base,
        tenant,
        verified: input['verified'] !== false,
        problems,
      })
      for (const { type, value } of composed.identities) {
        const key = `${type} ${value.toLowerCase()}`
        if (seen.has(key))
          problems.add(`user.${type}`, 'duplicate', 'Two Users of the import share this login id.')
        seen.add(key)
      }
      if (tx.rows.users.get(base.id) !== undefined) problems.add('user.id', 'duplicate', 'The id is taken.')
      const user: User = {
        ...composed,
        active: input['active'] !== false,
        registrations: registrationsOf(tx, call, input['registrations'], problems),
      }
      return { user, password: hashed ? undefined : plainPassword(input) }
    })
    const refused = problems.answer()
    if (refused !== undefined) return refused
    for (const { user, password } of users) {
      tx.rows.users.put(user)
      if (password !== undefined) putPassword(tx, user.id, password)
    }
    const fieldsOfEvent = { users: users.map(({ user }) => shownUser(user, tx.rows)) }
    tx.fire({ type: 'user.bulk.create', tenantId: tenant.id, fields: fieldsOfEvent })
    return ok()
  })
}

function registrationsOf(tx: Transaction, call: Call, value: unknown, problems: Problems): Registration[] {
  if (!Array.isArray(value)) return []
  return value.map((one: unknown) => readRegistration(tx, call, fields(one), { problems }))
}

function retrieve(call: Call): ApiResponse {
  const { rows } = call.state
  if (call.params['userId'] !== undefined) return ok({ user: shownUser(userOf(call, rows), rows) })
  const code = call.query.get('changePasswordId') ?? call.query.get('verificationId')
  if (code !== null) return ok({ user: shownUser(userOf(call, rows, rows.codes.get(code)?.userId), rows) })
  for (const [name, types] of [
    ['email', ['email']],
    ['username', ['username']],
    ['loginId', call.query.getAll('loginIdTypes')],
  ] as const) {
    const value = call.query.get(name)
    if (value === null) continue
    const user = userOfLoginId(call, rows, value, types)
    return user === undefined ? notFound : ok({ user: shownUser(user, rows) })
  }
  throw generalError('[missing]', 'Name the User by id, email, username or loginId.')
}

/** By ids, or by a query string of `field:pattern` terms that must all hold. */
function search(call: Call): ApiResponse {
  const criteria = searchCriteria(call)
  refuseElasticsearch(criteria['query'])
  const ids = call.method === 'GET' ? call.query.getAll('ids') : texts(criteria['ids'])
  const query = text(criteria['queryString'])
  const users = call.state.rows.users
    .all()
    .filter((user) => isVisible(call, user))
    .filter((user) => (ids.length > 0 ? ids.includes(user.id) : fitsQuery(user, query ?? '*')))
  const result = page(
    users,
    { ...criteria, orderBy: undefined },
    ['insertInstant', 'id'],
    'insertInstant ASC',
  )
  return ok({ total: result.total, users: result.rows.map((user) => shownUser(user, call.state.rows)) })
}

function refuseElasticsearch(query: unknown): void {
  if (query === undefined || query === null) return
  throw generalError(
    '[notEmulated]',
    'The emulator does not run Elasticsearch queries; use queryString.',
    501,
  )
}

function fitsQuery(user: User, query: string): boolean {
  return query.split(/\s+AND\s+|\s+/).every((term) => {
    const [field = '', pattern] = term.split(/:(.*)/s)
    if (pattern === undefined) {
      return [user.email, user.username, user['fullName'], user['firstName'], user['lastName']].some(
        (value) => matches(field, text(value)),
      )
    }
    return matches(pattern.replaceAll('"', ''), word(user[field] ?? ''))
  })
}

export const users: readonly Route[] = [
  get('/api/user/search', search),
  post('/api/user/search', search),
  put('/api/user/search', () => ok()),
  post('/api/user/import', importMany),
  remove('/api/user/bulk', removeMany),
  post('/api/user/:userId?', create),
  get('/api/user/:userId?', retrieve),
  put('/api/user/:userId', (call) =>
    inTransaction(call, (tx) =>
      call.query.get('reactivate') === 'true' ? reactivate(call, tx) : update(call, tx, () => given(call)),
    ),
  ),
  patch('/api/user/:userId', (call) =>
    inTransaction(call, (tx) => update(call, tx, (before) => patched(call, before))),
  ),
  remove('/api/user/:userId', removeOne),
]
