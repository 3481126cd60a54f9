import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { clientOf, refusal, unchosen } from './client.ts'

let fusionauth: Emulator

beforeAll(async () => {
  fusionauth = await emulate()
})

afterAll(() => fusionauth[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }

async function ask(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const { port } = new URL(fusionauth.url)
  const asked = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers: { authorization: fusionauth.apiKey, ...headers },
  })
  asked.on('error', () => undefined)
  asked.end(body)
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    asked.on('close', () => reject(new Error('no answer')))
    asked.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
  })
}

test.each([
  '',
  '{',
  '[1,',
  'null',
  '"x"',
  '[]',
  '{"user":{}}{"user":{}}',
  `{"user":{"data":${'['.repeat(5000)}${']'.repeat(5000)}}}`,
])('a body that is no JSON object is a 400: %.20s', async (body) => {
  const { status } = await ask(
    'POST',
    '/api/user',
    { ...json, 'content-length': String(Buffer.byteLength(body)) },
    body,
  )
  expect(status).toBe(400)
})

test('complaints come in FusionAuth’s form', async () => {
  const client = clientOf(fusionauth)
  const code = async (webhook: object, field: string) => {
    const { statusCode, exception } = await refusal(client.createWebhook(unchosen, { webhook }))
    expect(statusCode).toBe(400)
    return exception?.fieldErrors?.[field]?.map((error) => error.code)
  }
  const good = { url: 'http://127.0.0.1/', connectTimeout: 1000, readTimeout: 1000 }
  expect(await code({ ...good, url: undefined }, 'webhook.url')).toEqual(['[blank]webhook.url'])
  expect(await code({ ...good, url: 'file:///etc/passwd' }, 'webhook.url')).toEqual(['[invalid]webhook.url'])
  expect(await code({ ...good, readTimeout: undefined }, 'webhook.readTimeout')).toEqual([
    '[blank]webhook.readTimeout',
  ])
  expect(await code({ ...good, connectTimeout: -1 }, 'webhook.connectTimeout')).toEqual([
    '[invalid]webhook.connectTimeout',
  ])
  expect(
    await code({ ...good, eventsEnabled: { 'user.crate': true } }, 'webhook.eventsEnabled'),
  ).toHaveLength(1)
  const unsigned = { ...good, signatureConfiguration: { enabled: true } }
  expect(await code(unsigned, 'webhook.signatureConfiguration.signingKeyId')).toHaveLength(1)
  expect(await code({ ...good, tenantIds: ['nobody'] }, 'webhook.tenantIds')).toEqual([
    '[invalid]webhook.tenantIds',
  ])
  const nameless = await refusal(client.createUser(unchosen, { user: { firstName: 'Ada' } }))
  expect(Object.keys(nameless.exception?.fieldErrors ?? {})).toEqual(['user.email', 'user.username'])
  const short = await refusal(client.createUser('not-a-uuid', { user: { username: 'x', password: 'short' } }))
  expect(Object.keys(short.exception?.fieldErrors ?? {})).toEqual(['user.id', 'user.password'])
})

test('unknown ids are 404 without a body', async () => {
  const unknown = '00000000-0000-4000-8000-00000000dead'
  for (const path of [
    'user',
    'webhook',
    'tenant',
    'application',
    'group',
    'entity',
    'key',
    'system/webhook-event-log',
  ]) {
    expect(await ask('GET', `/api/${path}/${unknown}`), path).toEqual({ status: 404, body: '' })
  }
  expect(await ask('DELETE', `/api/user/${unknown}?hardDelete=true`)).toEqual({ status: 404, body: '' })
  expect(await ask('GET', '/api/user/%00%ff')).toEqual({ status: 404, body: '' })
})

test('a missing or wrong key is 401 without a body, also for what does not exist', async () => {
  for (const authorization of ['', 'wrong', `Bearer ${fusionauth.apiKey}`]) {
    expect(await ask('GET', '/api/user', { authorization })).toEqual({ status: 401, body: '' })
    expect(await ask('GET', '/api/theme', { authorization })).toEqual({ status: 401, body: '' })
    expect(await ask('POST', '/emulator/reset', { authorization })).toEqual({ status: 401, body: '' })
  }
})

test('a patch cannot reach a prototype, by whatever road', async () => {
  const { user } = await fusionauth.createUser()
  const path = `/api/user/${user.id}`
  const merging =
    '{"user":{"data":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"kept":1}}}'
  expect((await ask('PATCH', path, json, merging)).status).toBe(200)
  const operations = (at: string) => JSON.stringify([{ op: 'add', path: at, value: { polluted: true } }])
  const jsonPatch = { 'content-type': 'application/json-patch+json' }
  expect((await ask('PATCH', path, jsonPatch, operations('/user/__proto__/polluted'))).status).toBe(400)
  expect((await ask('PATCH', path, jsonPatch, operations('/user/data/toString/polluted'))).status).toBe(400)
  expect((await ask('PATCH', path, jsonPatch, operations('/user/data/__proto__'))).status).toBe(400)
  expect((await ask('PATCH', path, jsonPatch, operations('/user/data/patched'))).status).toBe(200)
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
  const { response } = await clientOf(fusionauth).retrieveUser(user.id)
  expect(response.user?.data).toMatchObject({ kept: 1, patched: { polluted: true } })
  expect(Object.hasOwn(response.user?.data ?? {}, '__proto__')).toBe(false)
})

// ── pages (a browser on the developer's machine)

test.each([
  ['a page of another origin', { origin: 'https://evil.example' }, 403],
  ['a page of another port', { origin: 'http://localhost:1' }, 403],
  ['a sandboxed page', { origin: 'null' }, 403],
  ['an image', { 'sec-fetch-site': 'cross-site' }, 403],
  ['a page of another localhost', { 'sec-fetch-site': 'same-site' }, 403],
  ['a name that points here', { host: 'evil.example' }, 421],
  ['no port', { host: '127.0.0.1' }, 421],
])('%s is not answered', async (_, headers: Record<string, string>, status) => {
  for (const [method, path] of [
    ['POST', '/api/login'],
    ['POST', '/emulator/reset'],
    ['GET', '/.well-known/jwks.json'],
  ] as const) {
    expect(await ask(method, path, headers)).toEqual({ status, body: '' })
  }
})

test.each(['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded', 'application/jsonp'])(
  'a body of %s is not read',
  async (type) => {
    expect((await ask('POST', '/api/login', { 'content-type': type }, '{}')).status).toBe(415)
  },
)

test('its own names are answered', async () => {
  const { port } = new URL(fusionauth.url)
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
    expect((await ask('GET', '/api/status', { host })).status).toBe(200)
  }
  await using named = await emulate({ names: ['fusionauth:9011'] })
  const response = await fetch(`${named.url}/api/status`)
  expect(response.status).toBe(200)
})

test('a body beyond the limit is refused without being read', async () => {
  const { status } = await ask('POST', '/api/user', { ...json, 'content-length': String(2 ** 31) }, undefined)
  expect(status).toBe(413)
})
