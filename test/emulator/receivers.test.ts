import type { Webhook } from '@fusionauth/typescript-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { clientOf, refusal, unchosen } from './client.ts'
import { Recorder } from './recorder.ts'

/*
 * Who receives an event: the three gates, the two doors to a webhook's tenants, and the rules of FusionAuth 1.36.
 */

let recorder: Recorder
let fusionauth: Emulator

beforeEach(async () => {
  recorder = await Recorder.listen()
  fusionauth = await emulate()
})

afterEach(async () => {
  await fusionauth[Symbol.asyncDispose]()
  await recorder[Symbol.asyncDispose]()
})

/** The client's types are those of today and know no `applicationIds`. */
type Wanted = Webhook & { readonly applicationIds?: readonly string[] }

async function webhook(name: string, more: Wanted = {}, types = ['user.create']): Promise<string> {
  const { response } = await clientOf(fusionauth).createWebhook(unchosen, {
    webhook: {
      url: `${recorder.url}/${name}`,
      connectTimeout: 1000,
      readTimeout: 2000,
      eventsEnabled: Object.fromEntries(types.map((type) => [type, true])) as never,
      ...more,
    },
  })
  return response.webhook?.id ?? ''
}

async function tenantId(): Promise<string> {
  return (await clientOf(fusionauth).retrieveTenants()).response.tenants?.[0]?.id ?? ''
}

async function enable(type: string, more: object = {}): Promise<void> {
  const events = { [type]: { enabled: true, ...more } } as never
  await clientOf(fusionauth).patchTenant(await tenantId(), { tenant: { eventConfiguration: { events } } })
}

/** Who heard of a new user, by path. */
async function heard(client = clientOf(fusionauth)): Promise<string[]> {
  await client.createUser(unchosen, { user: { username: crypto.randomUUID() } })
  await fusionauth.idle()
  return recorder
    .take()
    .map(({ path }) => path.slice(1))
    .toSorted()
}

test('an event needs the tenant, the webhook and the webhook’s tenant', async () => {
  await webhook('global', { global: true })
  await webhook('bound', { tenantIds: [await tenantId()] })
  await webhook('unbound')
  await webhook('other type', { global: true }, ['user.update'])
  expect(await heard()).toEqual([])
  await enable('user.create')
  expect(await heard()).toEqual(['bound', 'global'])
})

test('another tenant’s events stay with it', async () => {
  await webhook('bound', { tenantIds: [await tenantId()] })
  await webhook('global', { global: true })
  const client = clientOf(fusionauth)
  const events = { 'user.create': { enabled: true } } as never
  await enable('user.create')
  const { response } = await client.createTenant(unchosen, {
    tenant: { name: 'Second', eventConfiguration: { events } },
  })
  expect(await heard(clientOf(fusionauth, response.tenant?.id ?? ''))).toEqual(['global'])
})

test('events of the instance ask the webhook only; an audit log with a tenant is that tenant’s', async () => {
  await webhook('unbound', {}, ['audit-log.create'])
  await webhook('bound', { tenantIds: [await tenantId()] }, ['audit-log.create'])
  const client = clientOf(fusionauth)
  await client.createAuditLog({ auditLog: { message: 'hello' } })
  await fusionauth.idle()
  expect(recorder.take()).toHaveLength(2)
  await client.createAuditLog({ auditLog: { message: 'hello', tenantId: await tenantId() } as never })
  await fusionauth.idle()
  expect(recorder.take()).toMatchObject([{ path: '/bound', event: { tenantId: await tenantId() } }])
})

test('a PUT of a tenant without webhookIds takes its webhooks away, a PATCH does not', async () => {
  const id = await webhook('bound')
  const client = clientOf(fusionauth)
  const tenant = await tenantId()
  const ids = async () => (await client.retrieveWebhook(id)).response.webhook?.tenantIds
  await client.patchTenant(tenant, { tenant: {}, webhookIds: [id] })
  expect(await ids()).toEqual([tenant])
  await client.patchTenant(tenant, { tenant: { name: 'Renamed' } })
  expect(await ids()).toEqual([tenant])
  await client.patchTenant(tenant, { tenant: { webhookIds: [] } as never })
  expect(await ids()).toEqual([tenant])
  await client.updateTenant(tenant, { tenant: { name: 'Again' } })
  expect(await ids()).toEqual([])
})

test('a failed post is told as event-log.create, but not the failure of that event itself', async () => {
  await webhook('all', { global: true }, ['user.create', 'event-log.create'])
  await enable('user.create')
  recorder.answer = () => 500
  expect(await heard()).toEqual(['all', 'all'])
  const { response } = await clientOf(fusionauth).searchEventLogs({ search: { message: 'user.create' } })
  expect(response.eventLogs).toMatchObject([{ type: 'Error', message: expect.stringContaining('500') }])
})

// ── FusionAuth 1.36

test('in 1.36, webhooks of an application get its events, all others go to every webhook', async () => {
  await fusionauth[Symbol.asyncDispose]()
  fusionauth = await emulate({ compatibility: '1.36' })
  const client = clientOf(fusionauth)
  const application = async (name: string) =>
    (await client.createApplication(unchosen, { application: { name } })).response.application?.id ?? ''
  const [todo, shop] = [await application('Todo'), await application('Shop')]
  const types = ['user.action', 'user.delete']
  await webhook('todo-1', { applicationIds: [todo] }, types)
  await webhook('todo-2', { applicationIds: [todo] }, types)
  await webhook('shop', { applicationIds: [shop] }, types)
  await webhook('all', { global: true }, types)
  await enable('user.action')
  await enable('user.delete')

  const { user } = await fusionauth.createUser()
  const made = await client.createUserAction(unchosen, { userAction: { name: 'Warn' } })
  const userActionId = made.response.userAction?.id ?? ''
  await client.actionUser({
    action: { actioneeUserId: user.id, userActionId, applicationIds: [todo] } as never,
    broadcast: true,
  })
  await fusionauth.idle()
  expect(
    recorder
      .take()
      .map(({ path }) => path)
      .toSorted(),
  ).toEqual(['/all', '/todo-1', '/todo-2'])
  await fusionauth.deleteUser(user.id)
  expect(
    recorder
      .take()
      .map(({ path }) => path)
      .toSorted(),
  ).toEqual(['/all', '/shop', '/todo-1', '/todo-2'])
})

test('in 1.36, an application names its webhooks too', async () => {
  await fusionauth[Symbol.asyncDispose]()
  fusionauth = await emulate({ compatibility: '1.36' })
  const id = await webhook('bound')
  const { response } = await clientOf(fusionauth).createApplication(unchosen, {
    application: { name: 'Todo' },
    webhookIds: [id],
  } as never)
  const bound = (await clientOf(fusionauth).retrieveWebhook(id)).response.webhook as Wanted
  expect(bound.applicationIds).toEqual([response.application?.id])
})

test.each(['1.36', 'current'] as const)(
  'a user action’s own transaction type, with the rules of %s',
  async (rules) => {
    await fusionauth[Symbol.asyncDispose]()
    fusionauth = await emulate(rules === '1.36' ? { compatibility: rules } : {})
    const client = clientOf(fusionauth)
    await webhook('all', { global: true }, ['user.action'])
    await enable('user.action', { transactionType: rules === '1.36' ? 'None' : 'Any' })
    const userAction = { name: 'Warn', transactionType: rules === '1.36' ? 'AbsoluteMajority' : 'None' }
    const made = await client.createUserAction(unchosen, { userAction: userAction as never })
    const userActionId = made.response.userAction?.id ?? ''
    const { user } = await fusionauth.createUser()
    recorder.answer = () => 500
    const request = { action: { actioneeUserId: user.id, userActionId } as never, broadcast: true }
    expect(await refusal(client.actionUser(request))).toMatchObject({ statusCode: 504 })
    expect((await client.retrieveActions(user.id)).response.actions).toEqual([])
  },
)
