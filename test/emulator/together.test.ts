import { generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { KeyAlgorithm, type FusionAuthClient } from '@fusionauth/typescript-client'
import { allOf, apiKey, signature, Webhook, type Authenticator } from 'fusewire'
import { toNodeHandler } from 'fusewire/node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogue, isEventType } from '../../src/events/catalogue.ts'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { clientOf, unchosen } from './client.ts'

/*
 * The receiver and the emulator, over real sockets: neither knows the other but by what FusionAuth says.
 */

let fusionauth: Emulator
let client: FusionAuthClient
const servers: Server[] = []

beforeEach(async () => {
  fusionauth = await emulate()
  client = clientOf(fusionauth)
})

afterEach(async () => {
  await fusionauth[Symbol.asyncDispose]()
  for (const server of servers.splice(0)) {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
})

async function serve(webhook: Webhook<'none'>): Promise<string> {
  const handle = toNodeHandler(webhook)
  const server = createServer((request, response) => void handle(request, response))
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** A receiver that writes down what its handlers see. */
async function receiver(authenticate: Authenticator) {
  const seen: string[] = []
  const webhook = new Webhook({ authenticate, inbox: 'none' })
  webhook.on('*', { name: 'everything', when: 'received' }, ({ event }) => void seen.push(event.type))
  return { url: await serve(webhook), seen }
}

/** A webhook of every type, signed with the key. */
async function signedWith(url: string, signingKeyId: string): Promise<string> {
  const types = Object.keys(catalogue).filter((type) => type !== 'event-log.create')
  const { response } = await client.createWebhook(unchosen, {
    webhook: {
      url,
      global: true,
      connectTimeout: 1000,
      readTimeout: 2000,
      eventsEnabled: Object.fromEntries(types.map((type) => [type, true])) as never,
      headers: { Authorization: 'API-KEY' } as never,
      signatureConfiguration: { enabled: true, signingKeyId },
    },
  })
  return response.webhook?.id ?? ''
}

test('every event type is sent signed, verified and handled', async () => {
  const keys = signature({ jwks: fusionauth.jwks, kid: fusionauth.kid })
  const { url, seen } = await receiver(allOf(apiKey('API-KEY'), keys))
  await fusionauth.connect(url, {
    sign: true,
    headers: { Authorization: 'API-KEY' },
    types: Object.keys(catalogue).filter(isEventType),
  })
  const types = Object.keys(catalogue).filter(isEventType)

  for (const type of types) {
    if (catalogue[type].transactional) fusionauth.level(type, 'AbsoluteMajority')
    const { committed, events } = await fusionauth.send(type)
    expect(committed, type).toBe(true)
    expect(events[0]?.attempts, type).toMatchObject([{ status: 200 }])
  }

  expect(seen.filter((type) => !type.endsWith('.complete'))).toEqual(
    types.filter((type) => !type.endsWith('.complete')),
  )
  expect(new Set(seen)).toEqual(new Set(types))
})

const asymmetric = [
  KeyAlgorithm.RS256,
  KeyAlgorithm.RS384,
  KeyAlgorithm.RS512,
  KeyAlgorithm.ES256,
  KeyAlgorithm.ES384,
  KeyAlgorithm.ES512,
  KeyAlgorithm.Ed25519,
]

test.each(asymmetric)('%s is verified by JWKS', async (algorithm) => {
  const length = algorithm.startsWith('RS') ? { length: 2048 } : {}
  const made = await client.generateKey(unchosen, { key: { algorithm, name: 'webhooks', ...length } })
  const { id = '', kid = '' } = made.response.key ?? {}
  const { url, seen } = await receiver(signature({ jwks: fusionauth.jwks, kid }))
  await signedWith(url, id)
  fusionauth.level('user.create', 'AbsoluteMajority')
  expect(await fusionauth.createUser()).toMatchObject({ committed: true })
  expect(seen).toEqual(['user.create'])
})

test.each([KeyAlgorithm.HS256, KeyAlgorithm.HS384, KeyAlgorithm.HS512])(
  '%s is verified by its secret',
  async (algorithm) => {
    const secret = 'a secret that both sides know, 32 bytes and more, enough for every hash there is'
    const made = await client.importKey(unchosen, { key: { algorithm, name: 'shared', secret } })
    const { url, seen } = await receiver(signature({ secret }))
    await signedWith(url, made.response.key?.id ?? '')
    fusionauth.level('user.create', 'AbsoluteMajority')
    expect(await fusionauth.createUser()).toMatchObject({ committed: true })
    expect(seen).toEqual(['user.create'])
  },
)

test('keys are rotated while users come and go, and no event is refused', async () => {
  const generate = async (name: string) =>
    (await client.generateKey(unchosen, { key: { algorithm: KeyAlgorithm.ES256, name } })).response.key ?? {}
  const [first, second] = [await generate('first'), await generate('second')]
  const kid = [first.kid ?? '', second.kid ?? ''] as const
  const { url } = await receiver(signature({ jwks: fusionauth.jwks, kid }))
  const webhookId = await signedWith(url, first.id ?? '')
  fusionauth.level('user.create', 'AbsoluteMajority')

  let rotating = true
  const statuses: number[] = []
  const users = (async () => {
    while (rotating) statuses.push((await fusionauth.createUser()).status)
  })()
  const rotate = (signingKeyId: string) =>
    client.patchWebhook(webhookId, { webhook: { signatureConfiguration: { enabled: true, signingKeyId } } })
  for (let turn = 0; turn < 6; turn += 1) {
    await rotate((turn % 2 === 0 ? second.id : first.id) ?? '')
    const sofar = statuses.length
    await expect.poll(() => statuses.length).toBeGreaterThan(sofar + 3)
  }
  rotating = false
  await users
  expect(new Set(statuses)).toEqual(new Set([200]))
})

test('a key made after the receiver started is fetched when it is first seen, another key is never trusted', async () => {
  const made = async (name: string) =>
    (await client.generateKey(unchosen, { key: { algorithm: KeyAlgorithm.Ed25519, name } })).response.key ??
    {}
  const kid = 'the-next-one'
  const { url, seen } = await receiver(signature({ jwks: fusionauth.jwks, kid: [fusionauth.kid, kid] }))
  await fusionauth.connect(url, { sign: true, name: 'old', types: ['user.create'] })
  fusionauth.level('user.create', 'AbsoluteMajority')
  expect(await fusionauth.createUser()).toMatchObject({ committed: true })

  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const next =
    (await client.importKey(unchosen, { key: { name: 'next', kid, privateKey: pem } })).response.key ?? {}
  const webhookId = await signedWith(url, next.id ?? '')
  expect(await fusionauth.createUser()).toMatchObject({ committed: true })
  // Both webhooks brought the second user: the same event, handled once.
  expect(seen).toHaveLength(2)

  const stranger = await made('stranger')
  await client.patchWebhook(webhookId, {
    webhook: { signatureConfiguration: { enabled: true, signingKeyId: stranger.id ?? '' } },
  })
  expect(await fusionauth.createUser()).toMatchObject({ committed: false, status: 504 })
})

test('a gate’s no rolls FusionAuth back', async () => {
  const webhook = new Webhook({ authenticate: apiKey('API-KEY'), inbox: 'none' })
  webhook.gate('user.delete', () => {
    throw new Error('the database is down')
  })
  const headers = { Authorization: 'API-KEY' }
  await fusionauth.connect(await serve(webhook), { name: 'socket', headers, types: ['user.delete'] })
  fusionauth.level('user.delete', 'AbsoluteMajority')
  const { user } = await fusionauth.createUser()
  expect(await fusionauth.deleteUser(user.id)).toMatchObject({
    committed: false,
    status: 504,
    events: [{ attempts: [{ status: 500 }] }],
  })
  await fusionauth.reset()
  await fusionauth.connect(webhook, { name: 'in process', headers, types: ['user.delete'] })
  fusionauth.level('user.delete', 'AbsoluteMajority')
  const again = await fusionauth.createUser()
  expect(await fusionauth.deleteUser(again.user.id)).toMatchObject({
    committed: false,
    events: [{ attempts: [{ status: 500 }] }],
  })
})
