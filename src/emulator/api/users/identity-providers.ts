import { randomUUID } from 'node:crypto'
import { fields, text, type Fields } from '../../fields.ts'
import type { IdentityProvider, Link, User } from '../../state/tables.ts'
import type { ReadableTables } from '../../state/store.ts'
import type { Transaction } from '../../system/event-system.ts'
import { notFoundError, ok, Problems, type ApiResponse } from '../api-response.ts'
import { inTransaction } from '../in-transaction.ts'
import { nameOf, routesOf, type Resource } from '../resource.ts'
import { get, open, post, remove, type Call, type Route } from '../route.ts'
import { tenantOf } from '../tenant-of.ts'
import { composeUser } from './compose-user.ts'
import { userByLoginId } from './user-by-login-id.ts'
import { stamp } from './create-user.ts'
import { userOf } from './user-of.ts'
import { signIn } from './sign-in.ts'
import { registrationFor } from './registration-for.ts'
import { readRegistration, withRegistration } from './read-registration.ts'
import { linkEvent, registrationEvent, userEvent } from './user-event.ts'
import { shownUser } from './shown-user.ts'

const resource: Resource<IdentityProvider> = {
  one: 'identityProvider',
  many: 'identityProviders',
  path: '/api/identity-provider',
  view: (rows) => rows.identityProviders,
  write: (tx, row) => tx.rows.identityProviders.put(row),
  erase: (tx, row) => tx.rows.identityProviders.remove(row.id),
  read(reader) {
    const { input, base, problems, tx } = reader
    const type = text(input['type'])
    if (type === undefined) problems.blank('identityProvider.type')
    const name = text(input['name']) ?? type ?? ''
    const named = { ...reader, input: { ...input, name } }
    return {
      ...input,
      ...base,
      type: type ?? '',
      name: nameOf(named, 'identityProvider.name', tx.rows.identityProviders.all()),
    }
  },
}

function providerOf(rows: ReadableTables, id: unknown): IdentityProvider {
  const provider = typeof id === 'string' ? rows.identityProviders.get(id.toLowerCase()) : undefined
  if (provider !== undefined) return provider
  const problems = new Problems()
  problems.add('identityProviderId', 'invalid', 'There is no Identity Provider with this id.')
  problems.throwIfAny()
  throw notFoundError()
}

interface Linking {
  readonly identityProviderUserId: string
  readonly displayName?: string | undefined
  readonly token?: string | undefined
}

function link(tx: Transaction, user: User, provider: IdentityProvider, linking: Linking): Link {
  const made: Link = {
    id: randomUUID(),
    identityProviderId: provider.id,
    identityProviderName: provider.name,
    identityProviderType: provider.type,
    userId: user.id,
    tenantId: user.tenantId,
    data: {},
    insertInstant: tx.now,
    lastLoginInstant: tx.now,
    ...linking,
  }
  tx.rows.links.put(made)
  tx.fire(linkEvent('user.identity-provider.link', user, made, tx.rows))
  return made
}

function linked(
  rows: ReadableTables,
  tenantId: string,
  providerId: string,
  providerUserId: string,
): Link | undefined {
  return rows.links.by('uniqueIdentity', `${tenantId} ${providerId} ${providerUserId}`)[0]
}

function createLink(call: Call) {
  return inTransaction(call, (tx) => {
    const input = fields(call.body['identityProviderLink'])
    const problems = new Problems()
    const identityProviderUserId = text(input['identityProviderUserId']) ?? ''
    if (identityProviderUserId === '') problems.blank('identityProviderLink.identityProviderUserId')
    const provider = providerOf(tx.rows, input['identityProviderId'])
    const user = userOf(call, tx.rows, input['userId'])
    if (linked(tx.rows, user.tenantId, provider.id, identityProviderUserId) !== undefined) {
      problems.add(
        'identityProviderLink.identityProviderUserId',
        'duplicate',
        'This identity is linked already.',
      )
    }
    problems.throwIfAny()
    const said = {
      identityProviderUserId,
      displayName: text(input['displayName']),
      token: text(input['token']),
    }
    return ok({ identityProviderLink: link(tx, user, provider, said) })
  })
}

function wanted(call: Call, rows: ReadableTables): Link | undefined {
  const [providerId, userId] = [call.query.get('identityProviderId'), call.query.get('userId')]
  return rows.links
    .all()
    .filter((one) => one.identityProviderUserId === call.query.get('identityProviderUserId'))
    .find((one) => one.identityProviderId === providerId && (userId === null || one.userId === userId))
}

function removeLink(call: Call) {
  return inTransaction(call, (tx) => {
    const existing = wanted(call, tx.rows)
    if (existing === undefined) throw notFoundError()
    tx.rows.links.remove(existing.id)
    const user = userOf(call, tx.rows, existing.userId)
    tx.fire(linkEvent('user.identity-provider.unlink', user, existing, tx.rows))
    return ok({ identityProviderLink: existing })
  })
}

function retrieveLinks(call: Call): ApiResponse {
  const { rows } = call.state
  if (call.query.has('identityProviderUserId')) {
    const identityProviderLink = wanted(call, rows)
    if (identityProviderLink === undefined) throw notFoundError()
    return ok({ identityProviderLink })
  }
  const user = userOf(call, rows, call.query.get('userId'))
  const providerId = call.query.get('identityProviderId')
  const links = rows.links.by('user', user.id)
  return ok({
    identityProviderLinks: links.filter(
      (one) => providerId === null || one.identityProviderId === providerId,
    ),
  })
}

/**
 * The identity that the request claims. The emulator asks no provider: it trusts `data.email`, or the unverified claims of a JWT in `data.token`
 * or `encodedJWT`; any other token counts as the user's id at the provider.
 */
function claimed(call: Call): { readonly subject: string; readonly email: string | undefined } | undefined {
  const data = fields(call.body['data'])
  const token =
    text(call.body['encodedJWT']) ?? text(data['token']) ?? text(data['id_token']) ?? text(data['code'])
  const claims = claimsOf(token)
  const email = text(data['email']) ?? text(claims['email'])
  const subject = text(claims['sub']) ?? email ?? token
  return subject === undefined ? undefined : { subject, email }
}

function claimsOf(token: string | undefined): Fields {
  try {
    return fields(JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString()))
  } catch {
    return {}
  }
}

/** Creates the user at the first sign-in, and updates it, changed or not, at every later one. */
function login(call: Call) {
  return inTransaction(call, (tx) => {
    const { rows } = tx
    const provider = providerOf(rows, call.body['identityProviderId'])
    const claim = claimed(call)
    if (claim === undefined) {
      const problems = new Problems()
      problems.blank('data')
      problems.throwIfAny()
      throw notFoundError()
    }
    const tenant = tenantOf(call)
    const known = linked(rows, tenant.id, provider.id, claim.subject)?.userId
    const before =
      known === undefined
        ? claim.email && userByLoginId(rows, tenant.id, claim.email, ['email'])
        : rows.users.get(known)
    let user: User
    if (before === undefined || before === '') {
      const input = claim.email === undefined ? { username: claim.subject } : { email: claim.email }
      const problems = new Problems()
      user = composeUser(tx, { input, base: stamp(tx, randomUUID()), tenant, verified: true, problems })
      problems.throwIfAny()
      rows.users.put(user)
      tx.fire({ ...userEvent('user.create', user, rows), early: true })
    } else {
      user = { ...before, lastUpdateInstant: tx.now }
      rows.users.put(user)
      tx.fire(userEvent('user.update', user, rows, { original: shownUser(before, rows) }))
    }
    user = registered(tx, call, user)
    if (known === undefined) link(tx, user, provider, { identityProviderUserId: claim.subject })
    return signIn(tx, call, user, {
      authenticationType: provider.type,
      identityProviderId: provider.id,
      identityProviderName: provider.name,
    })
  })
}

/** Registers the user for the application that it signs in to. */
function registered(tx: Transaction, call: Call, user: User): User {
  const applicationId = text(call.body['applicationId'])
  if (applicationId === undefined || registrationFor(user, applicationId) !== undefined) return user
  const registration = readRegistration(tx, call, { applicationId }, { problems: new Problems() })
  const after = withRegistration(tx, user, registration)
  const fired = registrationEvent('user.registration.create', after, registration, tx.rows)
  tx.fire({ ...fired, early: true })
  return after
}

export const identityProviders: readonly Route[] = [
  open(post('/api/identity-provider/login', login)),
  post('/api/identity-provider/link', createLink),
  get('/api/identity-provider/link', retrieveLinks),
  remove('/api/identity-provider/link', removeLink),
  ...routesOf(resource),
]
