import { createHash } from 'node:crypto'
import { compactVerify } from 'jose'
import { expect, test } from 'vitest'
import { apiKey, Denied, RetryLater, signature, Webhook } from 'fusewire'
import { harness, memory, request, sample, sign, type SigningAlgorithm } from 'fusewire/testing'
import { pairs, pkcs8 } from '../support/keys.ts'

const secret = 'a secret of thirty-two bytes ...'
const log = { info: () => {}, warn: () => {}, error: () => {} }
const ada = 'ada00000-0000-4000-8000-000000000001'

test('sample puts your values in, to any depth, and makes another event each time', () => {
  const event = sample('user.delete', { user: { id: ada, data: { plan: 'pro' } } })
  expect(event).toMatchObject({ type: 'user.delete', user: { id: ada, data: { plan: 'pro' } } })
  expect(event.user.email).toContain('@')
  expect(sample('user.delete').id).not.toBe(event.id)
  expect(Math.abs(event.createInstant - Date.now())).toBeLessThan(5000)
})

test('sign makes the header that FusionAuth sends', () => {
  const [head = '', payload = '', signed] = sign('{"event":{}}', { kid: 'the-kid', secret }).split('.')
  const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  expect(decode(head)).toEqual({ alg: 'HS256', kid: 'the-kid', typ: 'JWT' })
  expect(decode(payload)).toEqual({
    request_body_sha256: createHash('sha256').update('{"event":{}}').digest('base64'),
  })
  expect(signed).toHaveLength(43)
})

test.each<[SigningAlgorithm, keyof typeof pairs]>([
  ['RS256', 'rsa'],
  ['ES256', 'p256'],
  ['ES384', 'p384'],
  ['ES512', 'p521'],
  ['Ed25519', 'ed25519'],
])('sign follows the key: %s', async (alg, pair) => {
  const token = sign('{}', { kid: 'the-kid', privateKey: pkcs8(pairs[pair].privateKey) })
  const { protectedHeader } = await compactVerify(token, pairs[pair].publicKey, { algorithms: [alg] })
  expect(protectedHeader).toEqual({ alg, kid: 'the-kid', typ: 'JWT' })
})

test.each<SigningAlgorithm>(['RS384', 'RS512'])(
  'sign takes another algorithm of the key: %s',
  async (algorithm) => {
    const token = sign('{}', { algorithm, privateKey: pairs.rsa.privateKey })
    await expect(
      compactVerify(token, pairs.rsa.publicKey, { algorithms: [algorithm] }),
    ).resolves.toBeDefined()
  },
)

test('request is let in by key and by signature', async () => {
  const byKey = new Webhook({ authenticate: apiKey('the key of this test'), inbox: 'none', log })
  const bySignature = new Webhook({ authenticate: signature({ secret }), inbox: 'none', log })
  expect((await byKey.fetch(request('user.create', {}, { apiKey: 'the key of this test' }))).status).toBe(200)
  expect((await byKey.fetch(request('user.create'))).status).toBe(401)
  expect((await bySignature.fetch(request('user.create', {}, { sign: { secret } }))).status).toBe(200)
})

test('the harness runs gates at once and handlers at drain and advance, and leaves the webhook alone', async () => {
  const seen: string[] = []
  const webhook = new Webhook({ authenticate: apiKey('never asked for here'), inbox: memory(), log })
  webhook.gate('user.create', () => {
    throw new Denied('not today')
  })
  webhook.on('user.delete.complete', { name: 'crm' }, ({ event, attempt }) => {
    if (attempt === 1) throw new RetryLater({ afterMs: 60_000 })
    seen.push(event.user.id)
  })

  await using t = harness(webhook)
  expect(await t.send('user.create')).toMatchObject({
    status: 422,
    outcome: 'denied',
    reason: expect.stringContaining('not today'),
  })
  expect(await t.send('user.delete.complete', { user: { id: ada } })).toEqual({
    status: 200,
    outcome: 'kept',
  })
  expect(seen).toEqual([])
  expect(await t.drain()).toEqual({ succeeded: 0, retrying: 1, dead: 0, remaining: 1 })
  expect(await t.advance(59_000)).toMatchObject({ succeeded: 0, remaining: 1 })
  expect(await t.advance(1000)).toMatchObject({ succeeded: 1, remaining: 0 })
  expect(seen).toEqual([ada])
  expect(await webhook.drain()).toMatchObject({ succeeded: 0, remaining: 0 })
  await webhook.stop()
})

test("the harness of a webhook with inbox 'none' handles before it answers", async () => {
  const seen: string[] = []
  const webhook = new Webhook({ authenticate: apiKey('never asked for here'), inbox: 'none', log })
  webhook.on('user.delete.complete', ({ event }) => void seen.push(event.user.id))
  await using t = harness(webhook)
  expect(await t.send('user.delete.complete', { user: { id: ada } })).toEqual({
    status: 200,
    outcome: 'handled',
  })
  expect(await t.drain()).toEqual({ succeeded: 0, retrying: 0, dead: 0, remaining: 0 })
  expect(seen).toEqual([ada])
})
