import { randomUUID } from 'node:crypto'
import { fields, text, type Fields } from '../../json.ts'
import type { IdentityProvider, Link, User } from '../../state/rows.ts'
import type { Reading } from '../../state/store.ts'
import type { Draft } from '../../system/event-system.ts'
import { missing, ok, Problems, type Answer } from '../answer.ts'
import { change } from '../change.ts'
import { nameOf, routesOf, type Resource } from '../resource.ts'
import { get, open, post, remove, type Call, type Route } from '../route.ts'
import { tenantOf } from '../tenancy.ts'
import { composeUser, userByLoginId } from './compose.ts'
import { stamp } from './create.ts'
import { userOf } from './lookup.ts'
import { signIn } from './login.ts'
import { registrationFor } from './registered.ts'
import { registrationOf, withRegistration } from './registration.ts'
import { aboutLink, aboutRegistration, aboutUser, shownUser } from './shown.ts'

const resource: Resource<IdentityProvider> = {
  one: 'identityProvider',
  many: 'identityProviders',
  path: '/api/identity-provider',
  view: (rows) => rows.identityProviders,
  write: (draft, row) => draft.rows.identityProviders.put(row),
  erase: (draft, row) => draft.rows.identityProviders.remove(row.id),
  read(reader) {
    const { input, base, problems, draft } = reader
    const type = text(input['type'])
    if (type === undefined) problems.blank('identityProvider.type')
    const name = text(input['name']) ?? type ?? ''
    const named = { ...reader, input: { ...input, name } }
    return {
      ...input,
      ...base,
      type: type ?? '',
      name: nameOf(named, 'identityProvider.name', draft.rows.identityProviders.all()),
    }
  },
}

function providerOf(rows: Reading, id: unknown): IdentityProvider {
  const provider = typeof id === 'string' ? rows.identityProviders.get(id.toLowerCase()) : undefined
  if (provider !== undefined) return provider
  const problems = new Problems()
  problems.add('identityProviderId', 'invalid', 'There is no Identity Provider with this id.')
  problems.throwIfAny()
  throw missing()
}

interface Linking {
  readonly identityProviderUserId: string
  readonly displayName?: string | undefined
  readonly token?: string | undefined
}

function link(draft: Draft, user: User, provider: IdentityProvider, linking: Linking): Link {
  const made: Link = {
    id: randomUUID(),
    identityProviderId: provider.id,
    identityProviderName: provider.name,
    identityProviderType: provider.type,
    userId: user.id,
    tenantId: user.tenantId,
    data: {},
    insertInstant: draft.now,
    lastLoginInstant: draft.now,
    ...linking,
  }
  draft.rows.links.put(made)
  draft.fire(aboutLink('user.identity-provider.link', user, made, draft.rows))
  return made
}

function linked(
  rows: Reading,
  tenantId: string,
  providerId: string,
  providerUserId: string,
): Link | undefined {
  return rows.links.by('uniqueIdentity', `${tenantId} ${providerId} ${providerUserId}`)[0]
}

function createLink(call: Call) {
  return change(call, (draft) => {
    const input = fields(call.body['identityProviderLink'])
    const problems = new Problems()
    const identityProviderUserId = text(input['identityProviderUserId']) ?? ''
    if (identityProviderUserId === '') problems.blank('identityProviderLink.identityProviderUserId')
    const provider = providerOf(draft.rows, input['identityProviderId'])
    const user = userOf(call, draft.rows, input['userId'])
    if (linked(draft.rows, user.tenantId, provider.id, identityProviderUserId) !== undefined) {
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
    return ok({ identityProviderLink: link(draft, user, provider, said) })
  })
}

function wanted(call: Call, rows: Reading): Link | undefined {
  const [providerId, userId] = [call.query.get('identityProviderId'), call.query.get('userId')]
  return rows.links
    .all()
    .filter((one) => one.identityProviderUserId === call.query.get('identityProviderUserId'))
    .find((one) => one.identityProviderId === providerId && (userId === null || one.userId === userId))
}

function removeLink(call: Call) {
  return change(call, (draft) => {
    const existing = wanted(call, draft.rows)
    if (existing === undefined) throw missing()
    draft.rows.links.remove(existing.id)
    const user = userOf(call, draft.rows, existing.userId)
    draft.fire(aboutLink('user.identity-provider.unlink', user, existing, draft.rows))
    return ok({ identityProviderLink: existing })
  })
}

function retrieveLinks(call: Call): Answer {
  const { rows } = call.world
  if (call.query.has('identityProviderUserId')) {
    const identityProviderLink = wanted(call, rows)
    if (identityProviderLink === undefined) throw missing()
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
 * Who the provider says it is. The emulator asks no provider: it believes `data.email`, or what a JWT in `data.token` or `encodedJWT`
 * says unverified; any other token is taken for the user's id at the provider.
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

/** Creates the user at the first sign-in, updates it (changed or not) at every other. */
function login(call: Call) {
  return change(call, (draft) => {
    const { rows } = draft
    const provider = providerOf(rows, call.body['identityProviderId'])
    const claim = claimed(call)
    if (claim === undefined) {
      const problems = new Problems()
      problems.blank('data')
      problems.throwIfAny()
      throw missing()
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
      user = composeUser(draft, { input, base: stamp(draft, randomUUID()), tenant, verified: true, problems })
      problems.throwIfAny()
      rows.users.put(user)
      draft.fire({ ...aboutUser('user.create', user, rows), early: true })
    } else {
      user = { ...before, lastUpdateInstant: draft.now }
      rows.users.put(user)
      draft.fire(aboutUser('user.update', user, rows, { original: shownUser(before, rows) }))
    }
    user = registered(draft, call, user)
    if (known === undefined) link(draft, user, provider, { identityProviderUserId: claim.subject })
    return signIn(draft, call, user, {
      authenticationType: provider.type,
      identityProviderId: provider.id,
      identityProviderName: provider.name,
    })
  })
}

/** Registers the user for the application it signs in to. */
function registered(draft: Draft, call: Call, user: User): User {
  const applicationId = text(call.body['applicationId'])
  if (applicationId === undefined || registrationFor(user, applicationId) !== undefined) return user
  const registration = registrationOf(draft, call, { applicationId }, { problems: new Problems() })
  const after = withRegistration(draft, user, registration)
  const fired = aboutRegistration('user.registration.create', after, registration, draft.rows)
  draft.fire({ ...fired, early: true })
  return after
}

export const identityProviders: readonly Route[] = [
  open(post('/api/identity-provider/login', login)),
  post('/api/identity-provider/link', createLink),
  get('/api/identity-provider/link', retrieveLinks),
  remove('/api/identity-provider/link', removeLink),
  ...routesOf(resource),
]
