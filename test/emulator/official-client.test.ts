import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import {
  EventType,
  IdentityProviderType,
  KeyAlgorithm,
  KeyType,
  TransactionType,
  type FusionAuthClient,
  type Webhook,
} from '@fusionauth/typescript-client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { catalogue, isEventType } from '../../src/events/catalogue.ts'
import { missingPath } from '../../src/events/missing-path.ts'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { oneTimePassword } from '../../src/emulator/api/users/one-time-password.ts'
import { clientOf, refusal, unchosen } from './client.ts'
import { Recorder, type Told } from './recorder.ts'

/*
 * Only FusionAuth's own client talks to the emulator here, over sockets. Each test makes calls and says which events they fire.
 */

let fusionauth: Emulator
let recorder: Recorder
let client: FusionAuthClient
let applicationId: string

beforeAll(async () => {
  fusionauth = await emulate()
  recorder = await Recorder.listen()
})

beforeEach(async () => {
  await fusionauth.reset()
  await fusionauth.connect(recorder.url)
  client = clientOf(fusionauth)
  const { response } = await client.createApplication(unchosen, {
    application: { name: 'Todo', roles: [{ name: 'user', isDefault: true }, { name: 'admin' }] },
  })
  applicationId = response.application?.id ?? ''
  recorder.take()
})

afterAll(async () => {
  await fusionauth[Symbol.asyncDispose]()
  await recorder[Symbol.asyncDispose]()
})

/** The events since the last time, in order, each checked against what its type promises. */
async function fired(): Promise<Told[]> {
  await fusionauth.idle()
  const events = recorder.take().map(({ event }) => event)
  for (const event of events) {
    expect(isEventType(event.type) && missingPath(event as never), event.type).toBeUndefined()
    expect(Number.isInteger(event['createInstant'])).toBe(true)
    if (isEventType(event.type) && catalogue[event.type].scope !== 'instance')
      expect(event.tenantId).toBeTypeOf('string')
  }
  return events
}

const types = async (): Promise<string[]> => (await fired()).map(({ type }) => type)

async function ada(): Promise<string> {
  const { response } = await client.createUser(unchosen, {
    user: { email: 'ada@example.com', username: 'ada', firstName: 'Ada', password: 'correct horse' },
  })
  await fired()
  return response.user?.id ?? ''
}

async function registeredAda(): Promise<string> {
  const id = await ada()
  await client.register(id, { registration: { applicationId } })
  await fired()
  return id
}

// ── users

test('a user is created, updated, patched, deactivated, reactivated and deleted', async () => {
  const { response } = await client.createUser(unchosen, {
    user: { email: 'ada@example.com', password: 'correct horse', data: { plan: 'free' } },
  })
  const id = response.user?.id ?? ''
  const created = await fired()
  expect(created.map(({ type }) => type)).toEqual(['user.create', 'user.create.complete'])
  expect(created[0]).toMatchObject({
    linkedObjectId: id,
    user: { id, email: 'ada@example.com', data: { plan: 'free' } },
  })
  expect(created[0]?.id).not.toBe(created[1]?.id)

  await client.updateUser(id, { user: { email: 'ada@example.org', firstName: 'Ada' } })
  const updated = await fired()
  expect(updated.map(({ type }) => type)).toEqual([
    'user.update',
    'user.update.complete',
    'user.email.update',
  ])
  expect(updated[0]).toMatchObject({
    user: { data: {} },
    original: { email: 'ada@example.com', data: { plan: 'free' } },
  })
  expect(updated.find(({ type }) => type === 'user.email.update')).toMatchObject({
    previousEmail: 'ada@example.com',
  })

  const patched = await client.patchUser(id, { user: { lastName: 'Lovelace' } })
  expect(patched.response.user).toMatchObject({
    firstName: 'Ada',
    lastName: 'Lovelace',
    email: 'ada@example.org',
  })
  expect(await types()).toEqual(['user.update', 'user.update.complete'])

  await client.deactivateUser(id)
  expect(await types()).toEqual(['user.deactivate'])
  expect((await client.retrieveUser(id)).response.user?.active).toBe(false)
  expect((await client.reactivateUser(id)).response.user?.active).toBe(true)
  expect(await types()).toEqual(['user.reactivate'])

  await client.deleteUser(id)
  expect(await types()).toEqual(['user.delete', 'user.delete.complete'])
  expect((await refusal(client.retrieveUser(id))).statusCode).toBe(404)
})

test('a body that says hardDelete deletes', async () => {
  const id = await ada()
  await client.deleteUserWithRequest(id, { hardDelete: true })
  expect(await types()).toEqual(['user.delete', 'user.delete.complete'])
})

test('no event and no answer carries a password, a salt or a two-factor secret', async () => {
  const id = await registeredAda()
  const { response } = await client.generateTwoFactorSecret()
  const secret = response.secret ?? ''
  await client.enableTwoFactor(id, {
    method: 'authenticator',
    secret,
    code: oneTimePassword(secret, Date.now()),
  })
  await client.patchUser(id, { user: { password: 'battery staple' } })
  await client.importUsers({ users: [{ email: 'bob@example.com', password: 'correct horse' }] })
  const said = JSON.stringify([await fired(), (await client.retrieveUser(id)).response])
  for (const never of ['correct horse', 'battery staple', 'hash', '"salt"', '"password"', secret]) {
    expect(said).not.toContain(never)
  }
})

test('a login id that is taken is a 400 and an event that tells of both users', async () => {
  const id = await ada()
  const refused = await refusal(client.createUser(unchosen, { user: { email: 'ADA@example.com' } }))
  expect(refused.statusCode).toBe(400)
  expect(refused.exception?.fieldErrors?.['user.email']?.[0]?.code).toBe('[duplicate]user.email')
  expect(await fired()).toMatchObject([
    { type: 'user.loginId.duplicate.create', existing: { id }, duplicateEmail: 'ADA@example.com' },
  ])
  const { response } = await client.createUser(unchosen, { user: { username: 'bob' } })
  await fired()
  expect(
    (await refusal(client.patchUser(response.user?.id ?? '', { user: { username: 'ada' } }))).statusCode,
  ).toBe(400)
  expect(await types()).toEqual(['user.loginId.duplicate.update'])
})

test('many users are imported with one event, and deactivated or deleted with one for each', async () => {
  const users = ['bob', 'carol', 'dave'].map((username) => ({ username, registrations: [{ applicationId }] }))
  await client.importUsers({ users })
  const [event, ...more] = await fired()
  expect(more).toEqual([])
  expect(event).toMatchObject({ type: 'user.bulk.create', users: [{ username: 'bob' }, {}, {}] })
  expect(event).not.toHaveProperty('linkedObjectId')

  const found = await client.searchUsersByQuery({ search: { queryString: '*' } })
  const ids = found.response.users?.map(({ id }) => id ?? '') ?? []
  expect(found.response.total).toBe(3)
  expect((await client.searchUsersByIds(ids.slice(0, 2))).response.users).toHaveLength(2)

  const dry = await client.deleteUsersByQuery({ queryString: 'username:bob', dryRun: true, hardDelete: true })
  expect(dry.response).toEqual({ dryRun: true, hardDelete: true, total: 1, userIds: [ids[0]] })
  expect(await types()).toEqual([])
  await client.deactivateUsersByIds(ids)
  expect(await types()).toEqual(['user.deactivate', 'user.deactivate', 'user.deactivate'])
  await client.deleteUsers({ userIds: ids.slice(1), hardDelete: true })
  expect(await types()).toEqual([
    'user.delete',
    'user.delete',
    'user.delete.complete',
    'user.delete.complete',
  ])
  expect((await client.retrieveUserByLoginId('bob')).response.user?.id).toBe(ids[0])
})

test('users are found by email, username and login id', async () => {
  const id = await ada()
  for (const found of [
    client.retrieveUserByEmail('Ada@example.com'),
    client.retrieveUserByUsername('ada'),
    client.retrieveUserByLoginId('ada'),
    client.retrieveUserByLoginIdWithLoginIdTypes('ada@example.com', ['email']),
  ]) {
    expect((await found).response.user?.id).toBe(id)
  }
  expect((await refusal(client.retrieveUserByUsername('nobody'))).statusCode).toBe(404)
})

// ── registrations

test('user and registration come into being together', async () => {
  const { response } = await client.register(unchosen, {
    user: { email: 'ada@example.com', password: 'correct horse' },
    registration: { applicationId },
  })
  expect(response.registration).toMatchObject({ applicationId, roles: ['user'] })
  expect(response.token).toBeTypeOf('string')
  const events = await fired()
  expect(events.map(({ type }) => type)).toEqual([
    'user.create',
    'user.registration.create',
    'user.create.complete',
    'user.registration.create.complete',
  ])
  expect(events[1]).toMatchObject({
    applicationId,
    registration: { applicationId },
    user: { registrations: [] },
  })
})

test('a registration is added, changed and removed', async () => {
  const id = await ada()
  await client.register(id, { registration: { applicationId } })
  expect(await types()).toEqual(['user.registration.create', 'user.registration.create.complete'])
  await client.updateRegistration(id, { registration: { applicationId, roles: ['admin'] } })
  const [updated] = await fired()
  expect(updated).toMatchObject({ registration: { roles: ['admin'] }, original: { roles: ['user'] } })
  await client.patchRegistration(id, { registration: { applicationId, username: 'countess' } })
  expect(await types()).toEqual(['user.registration.update', 'user.registration.update.complete'])
  expect((await client.retrieveRegistration(id, applicationId)).response.registration).toMatchObject({
    username: 'countess',
    roles: ['admin'],
  })
  await client.deleteRegistration(id, applicationId)
  expect(await types()).toEqual(['user.registration.delete', 'user.registration.delete.complete'])
  expect((await client.retrieveUser(id)).response.user?.registrations).toEqual([])
})

// ── signing in

test('a login succeeds, fails, and is no event for a stranger', async () => {
  const id = await registeredAda()
  const { response, statusCode } = await client.login({
    loginId: 'ada',
    password: 'correct horse',
    applicationId,
  })
  expect(statusCode).toBe(200)
  expect(response).toMatchObject({
    user: { id },
    token: expect.any(String),
    refreshToken: expect.any(String),
  })
  expect(await fired()).toMatchObject([
    { type: 'user.login.success', applicationId, authenticationType: 'PASSWORD', user: { id } },
  ])
  expect((await refusal(client.login({ loginId: 'ada', password: 'wrong' }))).statusCode).toBe(404)
  expect(await fired()).toMatchObject([{ type: 'user.login.failed', reason: { code: 'credentials' } }])
  expect((await refusal(client.login({ loginId: 'nobody', password: 'wrong' }))).statusCode).toBe(404)
  expect(await types()).toEqual([])
  await client.login({ loginId: 'ada', password: 'correct horse', newDevice: true })
  expect(await types()).toEqual(['user.login.success', 'user.login.new-device'])
})

test('the OAuth token endpoint signs in and refreshes', async () => {
  await registeredAda()
  const scope = 'openid offline_access'
  const { response } = await client.exchangeUserCredentialsForAccessToken(
    'ada',
    'correct horse',
    applicationId,
    '',
    scope,
    '',
  )
  expect(response).toMatchObject({ access_token: expect.any(String), token_type: 'Bearer' })
  expect(await types()).toEqual(['user.login.success'])
  await client.exchangeRefreshTokenForAccessToken(response.refresh_token ?? '', applicationId, '', '', '')
  expect(await types()).toEqual(['jwt.refresh'])
})

test('an identity provider creates the user the first time and updates it after that', async () => {
  const made = await client.createIdentityProvider(unchosen, {
    identityProvider: { type: IdentityProviderType.Google, name: 'Google' },
  })
  const identityProviderId = made.response.identityProvider?.id ?? ''
  const login = { identityProviderId, applicationId, data: { token: 'g-1', email: 'ada@example.com' } }
  const { response } = await client.identityProviderLogin(login)
  expect(await types()).toEqual([
    'user.create',
    'user.registration.create',
    'user.login.success',
    'user.create.complete',
    'user.registration.create.complete',
    'user.identity-provider.link',
  ])
  await client.identityProviderLogin(login)
  const events = await fired()
  expect(events.map(({ type }) => type)).toEqual([
    'user.update',
    'user.login.success',
    'user.update.complete',
  ])
  expect(events[1]).toMatchObject({
    identityProviderId,
    identityProviderName: 'Google',
    user: { id: response.user?.id },
  })
})

test('identity provider links are made and undone', async () => {
  const userId = await ada()
  const made = await client.createIdentityProvider(unchosen, {
    identityProvider: { type: IdentityProviderType.Twitch, name: 'Twitch' },
  })
  const identityProviderId = made.response.identityProvider?.id ?? ''
  const identityProviderLink = {
    identityProviderId,
    identityProviderUserId: 't-1',
    userId,
    displayName: 'ada',
  }
  await client.createUserLink({ identityProviderLink })
  expect(await fired()).toMatchObject([{ type: 'user.identity-provider.link', identityProviderLink }])
  expect(
    (await client.retrieveUserLinksByUserId(identityProviderId, userId)).response.identityProviderLinks,
  ).toHaveLength(1)
  expect(
    (await client.retrieveUserLink(identityProviderId, 't-1', userId)).response.identityProviderLink?.userId,
  ).toBe(userId)
  await client.deleteUserLink(identityProviderId, 't-1', userId)
  expect(await types()).toEqual(['user.identity-provider.unlink'])
})

test('two-factor methods are added, asked for, and removed', async () => {
  const id = await ada()
  const secret = (await client.generateTwoFactorSecret()).response.secret ?? ''
  const code = oneTimePassword(secret, Date.now())
  const enabled = await client.enableTwoFactor(id, { method: 'authenticator', secret, code })
  expect(enabled.response.recoveryCodes).toHaveLength(10)
  expect(await fired()).toMatchObject([
    { type: 'user.two-factor.method.add', method: { method: 'authenticator' } },
  ])

  const { statusCode, response } = await client.login({ loginId: 'ada', password: 'correct horse' })
  expect(statusCode).toBe(242)
  expect(await types()).toEqual(['user.two-factor.challenge'])
  const twoFactorId = response.twoFactorId ?? ''
  expect((await refusal(client.twoFactorLogin({ twoFactorId, code: 'wrong' }))).statusCode).toBe(421)
  expect(await types()).toEqual(['user.two-factor.failed-attempt'])
  expect((await client.twoFactorLogin({ twoFactorId, code })).response.user?.id).toBe(id)
  expect(await types()).toEqual(['user.login.success', 'user.two-factor.success'])

  const methodId = (await client.retrieveUser(id)).response.user?.twoFactor?.methods?.[0]?.id ?? ''
  await client.disableTwoFactor(id, methodId, code)
  expect(await types()).toEqual(['user.two-factor.method.remove'])
})

test('refresh tokens are traded and revoked: one, all of a user, all of an application', async () => {
  const userId = await registeredAda()
  const login = async () => {
    const { response } = await client.login({ loginId: 'ada', password: 'correct horse', applicationId })
    await fired()
    return response
  }
  const first = await login()
  const traded = await client.exchangeRefreshTokenForJWT({
    refreshToken: first.refreshToken ?? '',
    token: first.token ?? '',
  })
  expect(traded.response.token).toBeTypeOf('string')
  expect(await fired()).toMatchObject([
    { type: 'jwt.refresh', applicationId, userId, original: first.token, refreshToken: first.refreshToken },
  ])
  expect((await client.retrieveRefreshTokens(userId)).response.refreshTokens).toHaveLength(1)
  expect(
    (await client.retrieveRefreshTokenById(first.refreshTokenId ?? '')).response.refreshToken?.userId,
  ).toBe(userId)

  await client.revokeRefreshTokenByToken(first.refreshToken ?? '')
  expect(await fired()).toMatchObject([
    {
      type: 'jwt.refresh-token.revoke',
      applicationId,
      userId,
      user: { id: userId },
      refreshToken: { id: first.refreshTokenId },
      applicationTimeToLiveInSeconds: { [applicationId]: 3600 },
    },
  ])
  await login()
  await client.revokeRefreshTokensByUserId(userId)
  const [ofUser] = await fired()
  expect(ofUser).toMatchObject({ type: 'jwt.refresh-token.revoke', userId })
  expect(ofUser).not.toHaveProperty('applicationId')
  await client.revokeRefreshTokensByUserId(userId)
  expect(await types()).toEqual([])
  await login()
  await client.revokeRefreshTokensByApplicationId(applicationId)
  const [ofApplication] = await fired()
  expect(ofApplication).toMatchObject({ type: 'jwt.refresh-token.revoke', applicationId })
  expect(ofApplication).not.toHaveProperty('user')
  const { refreshTokenId } = await login()
  await client.revokeRefreshTokenById(refreshTokenId ?? '')
  expect(await types()).toEqual(['jwt.refresh-token.revoke'])
  const last = await login()
  await client.logoutWithRequest({ global: true, refreshToken: last.refreshToken ?? '' })
  expect(await types()).toEqual(['jwt.refresh-token.revoke'])
  expect(
    (await refusal(client.exchangeRefreshTokenForJWT({ refreshToken: last.refreshToken ?? '' }))).statusCode,
  ).toBe(400)
})

// ── passwords and verification

test('a forgotten password is reset', async () => {
  await ada()
  const { response } = await client.forgotPassword({ loginId: 'ada' })
  expect(await types()).toEqual(['user.password.reset.start', 'user.password.reset.send'])
  const changePasswordId = response.changePasswordId ?? ''
  expect((await client.checkChangePasswordUsingId(changePasswordId)).statusCode).toBe(200)
  await client.changePassword(changePasswordId, { password: 'battery staple' })
  expect(await types()).toEqual(['user.password.reset.success', 'user.password.update'])
  expect(
    (await refusal(client.changePassword(changePasswordId, { password: 'again again' }))).statusCode,
  ).toBe(404)
  await client.forgotPassword({ loginId: 'ada', sendForgotPasswordEmail: false })
  expect(await types()).toEqual(['user.password.reset.start'])
  const changed = { loginId: 'ada', currentPassword: 'battery staple', password: 'correct horse' }
  await client.changePasswordByIdentity(changed)
  expect(await types()).toEqual(['user.password.update'])
  expect((await client.login({ loginId: 'ada', password: 'correct horse' })).statusCode).toBe(200)
})

test('emails, identities and registrations are verified', async () => {
  const id = await registeredAda()
  const { verificationId } = (await client.generateEmailVerificationId('ada@example.com')).response
  await client.verifyEmailAddress({ verificationId: verificationId ?? '' })
  const events = await fired()
  expect(events.map(({ type }) => type)).toEqual(['user.email.verified', 'user.identity.verified'])
  expect(events[1]).toMatchObject({ loginId: 'ada@example.com', loginIdType: 'email' })
  await client.verifyEmailAddressByUserId({ userId: id })
  expect(await types()).toEqual(['user.email.verified', 'user.identity.verified'])

  const identity = { loginId: 'ada', loginIdType: 'username' }
  const started = await client.startVerifyIdentity(identity)
  await client.completeVerifyIdentity({ verificationId: started.response.verificationId ?? '' })
  expect(await types()).toEqual(['user.identity.verified'])
  await client.verifyIdentity(identity)
  expect(await types()).toEqual(['user.identity.verified'])

  const asked = await client.generateRegistrationVerificationId('ada@example.com', applicationId)
  await client.verifyUserRegistration({ verificationId: asked.response.verificationId ?? '' })
  expect(await fired()).toMatchObject([
    { type: 'user.registration.verified', registration: { verified: true } },
  ])
})

// ── groups, entities, actions

test('groups and their members', async () => {
  const [ada_, bob] = [
    await ada(),
    (await client.createUser(unchosen, { user: { username: 'bob' } })).response.user?.id ?? '',
  ]
  await fired()
  const roles = (await client.retrieveApplication(applicationId)).response.application?.roles ?? []
  const { response } = await client.createGroup(unchosen, {
    group: { name: 'Engineers' },
    roleIds: [roles[1]?.id ?? ''],
  })
  const groupId = response.group?.id ?? ''
  expect(response.group?.roles?.[applicationId]).toMatchObject([{ name: 'admin' }])
  expect(await types()).toEqual(['group.create', 'group.create.complete'])
  await client.updateGroup(groupId, { group: { name: 'Builders' } })
  expect((await fired())[0]).toMatchObject({
    type: 'group.update',
    group: { name: 'Builders' },
    original: { name: 'Engineers' },
  })
  await client.patchGroup(groupId, { group: { data: { floor: 2 } } })
  expect(await types()).toEqual(['group.update', 'group.update.complete'])

  await client.createGroupMembers({ members: { [groupId]: [{ userId: ada_ }, { userId: bob }] } })
  const [added] = await fired()
  expect(added).toMatchObject({
    type: 'group.member.add',
    group: { id: groupId },
    members: [{ userId: ada_ }, { userId: bob }],
  })
  expect((await client.retrieveUser(ada_)).response.user?.memberships).toMatchObject([{ groupId }])
  expect((await client.searchGroupMembers({ search: { groupId } })).response.total).toBe(2)
  await client.deleteGroupMembers({ members: { [groupId]: [ada_] } })
  expect(await types()).toEqual(['group.member.remove', 'group.member.remove.complete'])
  await client.updateGroupMembers({ members: { [groupId]: [{ userId: ada_ }] } })
  expect(await types()).toEqual(['group.member.update', 'group.member.update.complete'])
  const members = (await client.searchGroupMembers({ search: { groupId } })).response.members ?? []
  await client.deleteGroupMembers({ memberIds: members.map(({ id }) => id ?? '') })
  expect(await types()).toEqual(['group.member.update', 'group.member.update.complete'])
  await client.deleteGroup(groupId)
  expect(await types()).toEqual(['group.delete', 'group.delete.complete'])
  expect((await client.retrieveGroups()).response.groups).toEqual([])
})

test('entities', async () => {
  const type = await client.createEntityType(unchosen, { entityType: { name: 'Device' } })
  const { response } = await client.createEntity(unchosen, {
    entity: { name: 'Printer', type: { id: type.response.entityType?.id ?? '' } },
  })
  const id = response.entity?.id ?? ''
  expect(await types()).toEqual(['entity.create', 'entity.create.complete'])
  await client.updateEntity(id, { entity: { name: 'Plotter', type: response.entity?.type ?? {} } })
  expect((await fired())[0]).toMatchObject({ entity: { name: 'Plotter' }, original: { name: 'Printer' } })
  await client.patchEntity(id, { entity: { data: { floor: 2 } } })
  expect(await types()).toEqual(['entity.update', 'entity.update.complete'])
  expect((await client.searchEntitiesByIds([id])).response.entities).toHaveLength(1)
  await client.deleteEntity(id)
  expect(await types()).toEqual(['entity.delete', 'entity.delete.complete'])
})

test('user actions start, change, are cancelled and end', async () => {
  const [actioneeUserId, actionerUserId] = [await ada(), unchosen]
  const made = await client.createUserAction(unchosen, {
    userAction: { name: 'Ban', temporal: true, preventLogin: true },
  })
  const userActionId = made.response.userAction?.id ?? ''
  const because = await client.createUserActionReason(unchosen, {
    userActionReason: { code: 'rude', text: 'Rude words' },
  })
  const take = (expiry: number) =>
    client.actionUser({
      action: {
        actioneeUserId,
        actionerUserId,
        userActionId,
        expiry,
        reasonId: because.response.userActionReason?.id ?? '',
        applicationIds: [applicationId],
      },
      broadcast: true,
    })
  const { response } = await take(Date.now() + 60_000)
  const actionId = response.action?.id ?? ''
  expect(await fired()).toMatchObject([
    {
      type: 'user.action',
      phase: 'start',
      action: 'Ban',
      actioneeUserId,
      reasonCode: 'rude',
      linkedObjectId: actioneeUserId,
    },
  ])
  expect((await refusal(client.login({ loginId: 'ada', password: 'correct horse' }))).statusCode).toBe(409)
  await client.modifyAction(actionId, {
    action: { expiry: Date.now() + 120_000, actionerUserId },
    broadcast: true,
  })
  expect(await fired()).toMatchObject([{ phase: 'modify' }])
  expect((await client.retrieveActiveActions(actioneeUserId)).response.actions).toHaveLength(1)
  await client.cancelAction(actionId, { action: { actionerUserId, comment: 'sorry' }, broadcast: true })
  expect(await fired()).toMatchObject([{ phase: 'cancel', comment: 'sorry' }])
  expect((await client.login({ loginId: 'ada', password: 'correct horse' })).statusCode).toBe(200)
  await fired()

  await take(Date.now() + 150)
  expect(await fired()).toMatchObject([{ phase: 'start' }])
  await expect.poll(() => recorder.posts.length, { timeout: 2000 }).toBe(1)
  expect(await fired()).toMatchObject([{ phase: 'end' }])

  await take(Number.MAX_VALUE)
  await fusionauth.idle()
  expect(recorder.posts[0]?.body).toContain('"expiry":9223372036854775807')
})

// ── configuration

test('a tenant normalises its event configuration and never returns webhookIds', async () => {
  const { response } = await client.retrieveTenants()
  const id = response.tenants?.[0]?.id ?? ''
  const patched = await client.patchTenant(id, {
    tenant: {
      eventConfiguration: {
        events: {
          [EventType.UserDelete]: { enabled: true, transactionType: TransactionType.AbsoluteMajority },
          [EventType.UserDeleteComplete]: { enabled: true, transactionType: TransactionType.Any },
          [EventType.AuditLogCreate]: { enabled: true, transactionType: TransactionType.None },
        } as never,
      },
    },
  })
  const events = patched.response.tenant?.eventConfiguration?.events as unknown as Record<string, unknown>
  expect(events['user.delete']).toEqual({ enabled: true, transactionType: 'AbsoluteMajority' })
  expect(events['user.delete.complete']).toEqual({ enabled: true, transactionType: 'None' })
  expect(events).not.toHaveProperty('audit-log.create')
  expect(patched.response.tenant).not.toHaveProperty('webhookIds')
})

test('two tenants have to be told apart', async () => {
  const created = await client.createTenant(unchosen, { tenant: { name: 'Second' } })
  const second = created.response.tenant?.id ?? ''
  const refused = await refusal(client.createUser(unchosen, { user: { username: 'bob' } }))
  expect(refused).toMatchObject({
    statusCode: 400,
    exception: { generalErrors: [{ code: '[TenantIdRequired]' }] },
  })
  const inSecond = clientOf(fusionauth, second)
  const { response } = await inSecond.createUser(unchosen, { user: { username: 'bob' } })
  expect(response.user?.tenantId).toBe(second)
  // Only the first tenant's events are enabled.
  expect(await types()).toEqual([])
  expect((await client.searchTenants({ search: { name: 'sec' } })).response.total).toBe(1)
  expect(
    (await refusal(clientOf(fusionauth, unknownId).createUser(unchosen, { user: { username: 'x' } })))
      .statusCode,
  ).toBe(400)
  await client.deleteTenant(second)
  expect((await refusal(client.retrieveUser(response.user?.id ?? ''))).statusCode).toBe(404)
})

const unknownId = '00000000-0000-4000-8000-00000000dead'

test('a change of signing keys is told for the applications it touches', async () => {
  const key = await client.generateKey(unchosen, { key: { algorithm: KeyAlgorithm.ES256, name: 'tokens' } })
  const jwtConfiguration = { enabled: true, accessTokenKeyId: key.response.key?.id ?? '' }
  await client.patchApplication(applicationId, { application: { jwtConfiguration } })
  expect(await fired()).toMatchObject([{ type: 'jwt.public-key.update', applicationIds: [applicationId] }])
  expect((await refusal(client.deleteKey(key.response.key?.id ?? ''))).statusCode).toBe(400)
})

test('applications and roles', async () => {
  const role = await client.createApplicationRole(applicationId, unchosen, { role: { name: 'auditor' } })
  await client.patchApplicationRole(applicationId, role.response.role?.id ?? '', {
    role: { description: 'reads' },
  })
  await client.deleteApplicationRole(applicationId, role.response.role?.id ?? '')
  expect((await client.retrieveApplication(applicationId)).response.application?.roles).toHaveLength(2)
  await client.deactivateApplication(applicationId)
  expect((await client.retrieveInactiveApplications()).response.applications).toHaveLength(1)
  await client.reactivateApplication(applicationId)
  expect((await client.searchApplications({ search: { name: 'todo' } })).response.total).toBe(1)
  await client.deleteApplication(applicationId)
  expect((await refusal(client.retrieveApplication(applicationId))).statusCode).toBe(404)
})

test('keys are generated and imported, private material stays inside, public keys are for everybody', async () => {
  for (const algorithm of [
    KeyAlgorithm.RS256,
    KeyAlgorithm.ES384,
    KeyAlgorithm.HS512,
    KeyAlgorithm.Ed25519,
  ]) {
    const key = { algorithm, name: algorithm, ...(algorithm === KeyAlgorithm.RS256 && { length: 2048 }) }
    const made = (await client.generateKey(unchosen, { key })).response.key
    expect(made).toMatchObject({ name: algorithm, hasPrivateKey: algorithm !== KeyAlgorithm.HS512 })
    expect(made).not.toHaveProperty('privateKey')
    expect(made).not.toHaveProperty('secret')
  }
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const imported = await client.importKey(unchosen, {
    key: { name: 'mine', kid: 'my-kid', privateKey: pem, type: KeyType.EC },
  })
  expect(imported.response.key).toMatchObject({ algorithm: 'ES512', kid: 'my-kid', type: 'EC' })

  const { keys = [] } = (await client.retrieveJsonWebKeySet()).response
  expect(keys.map(({ alg }) => String(alg)).toSorted()).toEqual([
    'ES256',
    'ES384',
    'ES512',
    'Ed25519',
    'RS256',
  ])
  const jwk = keys.find(({ kid }) => kid === 'my-kid')
  expect(createPublicKey({ key: jwk as never, format: 'jwk' }).equals(pair.publicKey)).toBe(true)

  expect((await client.searchKeys({ search: { type: KeyType.RSA } })).response.total).toBe(1)
  const id = imported.response.key?.id ?? ''
  await client.updateKey(id, { key: { name: 'ours' } })
  expect((await client.retrieveKey(id)).response.key?.name).toBe('ours')
  await client.deleteKey(id)
  expect((await client.retrieveKeys()).response.keys?.map(({ name }) => name)).not.toContain('ours')
})

test('webhooks are created, found, replaced, patched and deleted', async () => {
  const webhook: Webhook = {
    url: 'http://127.0.0.1:7001/fusionauth-webhook',
    description: 'The standard game Webhook',
    connectTimeout: 1000,
    readTimeout: 2000,
    eventsEnabled: { [EventType.UserCreate]: true } as never,
    headers: { ' X-Key ': ' secret ' } as never,
    httpAuthenticationUsername: 'username',
    httpAuthenticationPassword: 'password',
  }
  const { response } = await client.createWebhook(unchosen, { webhook })
  const id = response.webhook?.id ?? ''
  expect(response.webhook).toMatchObject({
    global: false,
    tenantIds: [],
    headers: { 'X-Key': 'secret' },
    httpAuthenticationPassword: 'password',
  })
  expect((await client.retrieveWebhooks()).response.webhooks).toHaveLength(2)
  expect((await client.searchWebhooks({ search: { description: 'GAME' } })).response).toMatchObject({
    total: 1,
  })
  expect(
    (await client.searchWebhooks({ search: { url: '*/fusionauth-webhook', orderBy: 'url ASC' } })).response
      .total,
  ).toBe(1)
  const tenantId = (await client.retrieveTenants()).response.tenants?.[0]?.id ?? ''
  const byParameters = await client.searchWebhooksByParameters('*', 1, 'insertInstant', 0, tenantId, 'http')
  // The new one is no tenant's yet.
  expect(byParameters.response).toMatchObject({ total: 1, webhooks: [{ description: 'receiver-1' }] })
  const patched = await client.patchWebhook(id, { webhook: { global: true } })
  expect(patched.response.webhook).toMatchObject({ global: true, description: 'The standard game Webhook' })
  const { description: _, ...rest } = webhook
  const replaced = await client.updateWebhook(id, { webhook: rest })
  expect(replaced.response.webhook).not.toHaveProperty('description')
  expect(replaced.response.webhook).toMatchObject({ global: false })
  await client.deleteWebhook(id)
  expect((await refusal(client.retrieveWebhook(id))).statusCode).toBe(404)
})

test('audit logs are told to every webhook of the instance', async () => {
  await client.createAuditLog({ auditLog: { message: 'Ada was here', insertUser: 'ada@example.com' } })
  const [event] = await fired()
  expect(event).toMatchObject({ type: 'audit-log.create', auditLog: { id: 1, message: 'Ada was here' } })
  expect(event).not.toHaveProperty('tenantId')
  expect((await client.searchAuditLogs({ search: { message: 'was here' } })).response.total).toBe(1)
  expect((await client.retrieveAuditLog(1)).response.auditLog?.insertUser).toBe('ada@example.com')
})

test('the system configuration rules the webhook event log', async () => {
  const off = { webhookEventLogConfiguration: { enabled: false } }
  await client.patchSystemConfiguration({ systemConfiguration: off })
  expect((await client.retrieveSystemConfiguration()).response.systemConfiguration).toMatchObject(off)
  const before = (await client.searchWebhookEventLogs({})).response.total
  await ada()
  expect((await client.searchWebhookEventLogs({})).response.total).toBe(before)
  const bad = { webhookEventLogConfiguration: { delete: { enabled: true, numberOfDaysToRetain: 0 } } }
  expect((await refusal(client.updateSystemConfiguration({ systemConfiguration: bad }))).statusCode).toBe(400)
})

test('API keys may be narrowed to calls and to a tenant', async () => {
  const permissions = { endpoints: { '/api/user': ['GET'], '/api/webhook': ['GET'] } }
  const { response } = await client.createAPIKey(unchosen, { apiKey: { permissions } })
  const narrow = clientOf({ ...fusionauth, apiKey: response.apiKey?.key ?? '' })
  const id = await ada()
  expect((await narrow.retrieveUser(id)).statusCode).toBe(200)
  expect((await refusal(narrow.deleteUser(id))).statusCode).toBe(401)
  const [tenant] = (await client.retrieveTenants()).response.tenants ?? []
  const made = await client.createAPIKey(unchosen, { apiKey: { tenantId: tenant?.id ?? '' } })
  const ofTenant = clientOf({ ...fusionauth, apiKey: made.response.apiKey?.key ?? '' })
  expect((await ofTenant.retrieveUser(id)).statusCode).toBe(200)
  expect((await refusal(ofTenant.retrieveWebhooks())).statusCode).toBe(401)
})

test('the status is open to everybody, and eventInfo speaks for the caller', async () => {
  expect((await client.retrieveSystemStatus()).statusCode).toBe(200)
  expect((await client.retrieveVersion()).response.version).toMatch(/^1\./)
  await client.createUser(unchosen, { user: { username: 'bob' }, eventInfo: { ipAddress: '203.0.113.7' } })
  expect((await fired())[0]).toMatchObject({ info: { ipAddress: '203.0.113.7' } })
})

test('a call that is not emulated says so', async () => {
  const refused = await refusal(client.retrieveThemes())
  expect(refused.statusCode).toBe(501)
  expect(refused.exception?.generalErrors?.[0]?.message).toContain('GET /api/theme')
})
