import { fields, isFields, text, texts, whole, word, type Fields } from '../../json.ts'
import { applyOperations, merge } from '../../merge.ts'
import type { Registration, User } from '../../state/rows.ts'
import type { Draft } from '../../system/event-system.ts'
import { generalError, missing, notFound, ok, Problems, type Answer } from '../answer.ts'
import { change } from '../change.ts'
import { newId } from '../resource.ts'
import { get, patch, post, put, remove, type Call, type Route } from '../route.ts'
import { criteriaOf, matches, page } from '../search.ts'
import { isVisible, tenantOf } from '../tenancy.ts'
import { newCode } from './codes.ts'
import { composeUser } from './compose.ts'
import { createUser, isUser, stamp } from './create.ts'
import { userNamed, userOf } from './lookup.ts'
import { checkPassword, plainPassword, putPassword } from './password.ts'
import { registrationOf } from './registration.ts'
import { deactivateUser, deleteUser } from './remove.ts'
import { aboutUser, shownUser } from './shown.ts'

function create(call: Call) {
  return change(call, (draft) => {
    const user = createUser(draft, call, call.params['userId'])
    return isUser(user) ? ok(created(draft, user)) : user
  })
}

function created(draft: Draft, user: User): Fields {
  const emailVerificationId = user.verified
    ? undefined
    : newCode(draft, user, { purpose: 'verify', loginIdType: 'email' })
  return { user: shownUser(user, draft.rows), emailVerificationId }
}

function update(call: Call, draft: Draft, inputFrom: (before: User) => Fields): Answer {
  const before = userOf(call, draft.rows)
  const input = inputFrom(before)
  const problems = new Problems()
  const base = {
    id: before.id,
    insertInstant: before.insertInstant ?? draft.now,
    lastUpdateInstant: draft.now,
  }
  const tenant = draft.rows.tenants.get(before.tenantId)
  if (tenant === undefined) throw missing()
  const password = plainPassword(input)
  if (password !== undefined) checkPassword(password, 'user.password', problems)
  const composed = composeUser(draft, { input, before, base, tenant, verified: true, problems })
  const refused = problems.answer()
  if (refused !== undefined) return refused
  const user = password === undefined ? composed : { ...composed, passwordLastUpdateInstant: draft.now }
  draft.rows.users.put(user)
  draft.fire(aboutUser('user.update', user, draft.rows, { original: shownUser(before, draft.rows) }))
  if (user.email !== before.email) {
    draft.fire(aboutUser('user.email.update', user, draft.rows, { previousEmail: before.email }))
  }
  if (password !== undefined) {
    putPassword(draft, user.id, password)
    draft.fire(aboutUser('user.password.update', user, draft.rows))
  }
  return ok({ user: shownUser(user, draft.rows) })
}

function given(call: Call): Fields {
  const problems = new Problems()
  if (!isFields(call.body['user'])) problems.blank('user')
  problems.throwIfAny()
  return fields(call.body['user'])
}

function patched(call: Call, before: User): Fields {
  if (call.operations === undefined) return merge(before, given(call))
  const after = applyOperations({ user: before }, call.operations)?.['user']
  if (isFields(after)) return after
  throw generalError('[invalidPatch]', 'The JSON Patch cannot be applied to this object.')
}

function reactivate(call: Call, draft: Draft): Answer {
  const user = { ...userOf(call, draft.rows), active: true, lastUpdateInstant: draft.now }
  draft.rows.users.put(user)
  draft.fire(aboutUser('user.reactivate', user, draft.rows))
  return ok({ user: shownUser(user, draft.rows) })
}

const asked = (call: Call, name: string): boolean =>
  call.query.get(name) === 'true' || call.body[name] === true

function removeOne(call: Call) {
  return change(call, (draft) => {
    const user = userOf(call, draft.rows)
    if (asked(call, 'hardDelete')) deleteUser(draft, user)
    else deactivateUser(draft, user)
    return ok()
  })
}

/** One transaction over all of them; each user has its own events. */
function removeMany(call: Call) {
  return change(call, (draft) => {
    const ids = [...call.query.getAll('userId'), ...texts(call.body['userIds'])].map((id) => id.toLowerCase())
    const query = call.query.get('queryString') ?? text(call.body['queryString'])
    refuseElasticsearch(call.query.get('query') ?? call.body['query'])
    if (ids.length === 0 && query === undefined) {
      const problems = new Problems()
      problems.blank('userIds')
      problems.throwIfAny()
    }
    const limit = whole(call.body['limit']) ?? 10_000
    const users = draft.rows.users
      .all()
      .filter((user) => isVisible(call, user))
      .filter((user) => ids.includes(user.id) || (query !== undefined && fitsQuery(user, query)))
      .slice(0, limit)
    const [dryRun, hardDelete] = [asked(call, 'dryRun'), asked(call, 'hardDelete')]
    if (!dryRun) for (const user of users) (hardDelete ? deleteUser : deactivateUser)(draft, user)
    return ok({ dryRun, hardDelete, total: users.length, userIds: users.map(({ id }) => id) })
  })
}

/** Creates many at once, with their registrations: one event for all of them. */
function importMany(call: Call) {
  return change(call, (draft) => {
    const tenant = tenantOf(call)
    const problems = new Problems()
    const list = Array.isArray(call.body['users']) ? call.body['users'] : []
    if (list.length === 0) problems.blank('users')
    const hashed = call.body['encryptionScheme'] !== undefined
    const seen = new Set<string>()
    const users = list.map((one: unknown) => {
      const input = fields(one)
      const base = stamp(draft, newId(input['id'], 'user.id', problems))
      const composed = composeUser(draft, {
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
      if (draft.rows.users.get(base.id) !== undefined)
        problems.add('user.id', 'duplicate', 'The id is taken.')
      const user: User = {
        ...composed,
        active: input['active'] !== false,
        registrations: registrationsOf(draft, call, input['registrations'], problems),
      }
      return { user, password: hashed ? undefined : plainPassword(input) }
    })
    const refused = problems.answer()
    if (refused !== undefined) return refused
    for (const { user, password } of users) {
      draft.rows.users.put(user)
      if (password !== undefined) putPassword(draft, user.id, password)
    }
    const fieldsOfEvent = { users: users.map(({ user }) => shownUser(user, draft.rows)) }
    draft.fire({ type: 'user.bulk.create', tenantId: tenant.id, fields: fieldsOfEvent })
    return ok()
  })
}

function registrationsOf(draft: Draft, call: Call, value: unknown, problems: Problems): Registration[] {
  if (!Array.isArray(value)) return []
  return value.map((one: unknown) => registrationOf(draft, call, fields(one), { problems }))
}

function retrieve(call: Call): Answer {
  const { rows } = call.world
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
    const user = userNamed(call, rows, value, types)
    return user === undefined ? notFound : ok({ user: shownUser(user, rows) })
  }
  throw generalError('[missing]', 'Name the User by id, email, username or loginId.')
}

/** By ids, or by a query string of `field:pattern` terms that must all hold. */
function search(call: Call): Answer {
  const criteria = criteriaOf(call)
  refuseElasticsearch(criteria['query'])
  const ids = call.method === 'GET' ? call.query.getAll('ids') : texts(criteria['ids'])
  const query = text(criteria['queryString'])
  const users = call.world.rows.users
    .all()
    .filter((user) => isVisible(call, user))
    .filter((user) => (ids.length > 0 ? ids.includes(user.id) : fitsQuery(user, query ?? '*')))
  const result = page(
    users,
    { ...criteria, orderBy: undefined },
    ['insertInstant', 'id'],
    'insertInstant ASC',
  )
  return ok({ total: result.total, users: result.rows.map((user) => shownUser(user, call.world.rows)) })
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
    change(call, (draft) =>
      call.query.get('reactivate') === 'true'
        ? reactivate(call, draft)
        : update(call, draft, () => given(call)),
    ),
  ),
  patch('/api/user/:userId', (call) =>
    change(call, (draft) => update(call, draft, (before) => patched(call, before))),
  ),
  remove('/api/user/:userId', removeOne),
]
