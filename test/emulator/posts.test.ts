import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { KeyAlgorithm, type Webhook } from '@fusionauth/typescript-client'
import { compactVerify, createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader } from 'jose'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { clientOf, refusal, unchosen } from './client.ts'
import { Recorder, type Post } from './recorder.ts'
import { selfSigned } from './self-signed.ts'

/*
 * What a receiver gets: headers, credentials, signatures, and the same bytes again.
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

async function posted(more: Webhook): Promise<Post> {
  const { response } = await clientOf(fusionauth).createWebhook(unchosen, {
    webhook: {
      url: recorder.url,
      global: true,
      connectTimeout: 1000,
      readTimeout: 2000,
      eventsEnabled: { 'user.create': true } as never,
      ...more,
    },
  })
  fusionauth.level('user.create', 'Any')
  const outcome = await fusionauth.createUser()
  await clientOf(fusionauth).deleteWebhook(response.webhook?.id ?? '')
  const [post] = recorder.take()
  if (post === undefined) throw new Error(JSON.stringify(outcome))
  return post
}

test('a post has a JSON body, the webhook’s headers and its basic credentials', async () => {
  const plain = await posted({ headers: { Authorization: 'API-KEY', 'X-More': 'yes' } as never })
  expect(plain.headers).toMatchObject({
    'content-type': 'application/json',
    authorization: 'API-KEY',
    'x-more': 'yes',
  })
  expect(plain.headers).not.toHaveProperty('x-fusionauth-signature-jwt')
  expect(Object.keys(JSON.parse(plain.body) as object)).toEqual(['event'])
  const basic = await posted({ httpAuthenticationUsername: 'ada', httpAuthenticationPassword: 'löve' })
  expect(basic.headers.authorization).toBe(`Basic ${Buffer.from('ada:löve').toString('base64')}`)
})

async function digestOf(
  jwt: string,
  verify: (jwt: string) => Promise<{ payload: Uint8Array }>,
): Promise<unknown> {
  return JSON.parse(Buffer.from((await verify(jwt)).payload).toString())
}

test.each([
  KeyAlgorithm.RS256,
  KeyAlgorithm.RS384,
  KeyAlgorithm.RS512,
  KeyAlgorithm.ES256,
  KeyAlgorithm.ES384,
  KeyAlgorithm.ES512,
  KeyAlgorithm.Ed25519,
])('%s signatures verify with the key of the JWKS', async (algorithm) => {
  const length = algorithm.startsWith('RS') ? { length: 2048 } : {}
  const made = await clientOf(fusionauth).generateKey(unchosen, {
    key: { algorithm, name: 'webhooks', ...length },
  })
  const { id = '', kid = '' } = made.response.key ?? {}
  const post = await posted({ signatureConfiguration: { enabled: true, signingKeyId: id } })
  const jwt = post.headers['x-fusionauth-signature-jwt'] as string
  expect(decodeProtectedHeader(jwt)).toEqual({ alg: algorithm, kid, typ: 'JWT' })
  const keys = createRemoteJWKSet(new URL(fusionauth.jwks))
  expect(await digestOf(jwt, (token) => compactVerify(token, keys))).toEqual({
    request_body_sha256: createHash('sha256').update(post.body).digest('base64'),
  })
})

test.each([KeyAlgorithm.HS256, KeyAlgorithm.HS384, KeyAlgorithm.HS512])(
  '%s signatures verify with the secret',
  async (algorithm) => {
    const secret = 'a secret that both sides know, 32 bytes and more, enough for every hash there is'
    const made = await clientOf(fusionauth).importKey(unchosen, {
      key: { algorithm, name: 'shared', secret },
    })
    const post = await posted({
      signatureConfiguration: { enabled: true, signingKeyId: made.response.key?.id ?? '' },
    })
    const jwt = post.headers['x-fusionauth-signature-jwt'] as string
    const digest = await digestOf(jwt, (token) => compactVerify(token, Buffer.from(secret)))
    expect(digest).toEqual({ request_body_sha256: createHash('sha256').update(post.body).digest('base64') })
  },
)

test('a receiver connected with sign trusts the emulator’s own key, also after a reset', async () => {
  for (const _ of [1, 2]) {
    await fusionauth.connect(recorder.url, { sign: true, types: ['user.create'] })
    await fusionauth.createUser()
    const jwt = recorder.take()[0]?.headers['x-fusionauth-signature-jwt'] as string
    const keys = createLocalJWKSet((await (await fetch(fusionauth.jwks)).json()) as never)
    expect((await compactVerify(jwt, keys)).protectedHeader.kid).toBe(fusionauth.kid)
    await fusionauth.reset()
  }
})

test('all receivers and all attempts get the same id, bytes and token', async () => {
  for (const name of ['a', 'b']) await fusionauth.connect(`${recorder.url}/${name}`, { sign: true })
  fusionauth.level('user.create', 'Any')
  recorder.answer = ({ path }) => (path === '/b' ? 500 : 200)
  await fusionauth.createUser()
  const posts = recorder.take().filter(({ event }) => event.type === 'user.create')
  expect(posts.map(({ path }) => path).toSorted()).toEqual(['/a', '/b', '/b', '/b', '/b'])
  expect(new Set(posts.map(({ body }) => body)).size).toBe(1)
  expect(
    new Set(
      posts.filter(({ path }) => path === '/b').map((post) => post.headers['x-fusionauth-signature-jwt']),
    ).size,
  ).toBe(1)
})

test('a certificate of its own makes a receiver trusted, and only that one', async () => {
  const { key, certificate } = selfSigned
  const server = createServer({ key, cert: certificate }, (request, response) => {
    request.resume().on('end', () => response.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const client = clientOf(fusionauth)
  const imported = await client.importKey(unchosen, { key: { name: 'receiver', certificate } })
  const sslCertificateKeyId = imported.response.key?.id ?? ''

  const attempt = async (more: Webhook) => {
    const { response } = await client.createWebhook(unchosen, {
      webhook: {
        url,
        global: true,
        connectTimeout: 1000,
        readTimeout: 2000,
        eventsEnabled: { 'user.create': true } as never,
        ...more,
      },
    })
    fusionauth.level('user.create', 'None')
    const outcome = await fusionauth.createUser()
    await client.deleteWebhook(response.webhook?.id ?? '')
    return outcome.events[0]?.attempts[0]?.status
  }
  expect(await attempt({ sslCertificateKeyId })).toBe(200)
  expect(await attempt({ sslCertificate: certificate })).toBe(200)
  expect(await attempt({})).toBe('refused')
  const both = { url, connectTimeout: 1, readTimeout: 1, sslCertificateKeyId, sslCertificate: certificate }
  expect((await refusal(client.createWebhook(unchosen, { webhook: both }))).statusCode).toBe(400)

  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
})
