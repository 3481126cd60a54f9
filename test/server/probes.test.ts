import { expect, test } from 'vitest'
import { allOf, anyOf, apiKey, signature, Webhook } from 'fusewire'
import { adminToken, type Server, startServer } from 'fusewire/server'
import { memory } from 'fusewire/testing'
import type { Authenticator } from '../../src/receive/auth/authenticator.ts'
import { jwksServer, publicJwk } from '../support/jwks-server.ts'
import { keptLog, type KeptLog } from '../support/log.ts'
import { raw } from '../support/raw.ts'
import { ask, operator, rig } from './rig.ts'

const rsa = publicJwk('rsa', { kid: 'a' })

interface Served extends AsyncDisposable {
  readonly server: Server
  readonly log: KeptLog
  /** What the admin listener says at /readyz: with the token, or as a probe. */
  readiness(as: 'operator' | 'probe'): Promise<{ status: number; text: string }>
}

async function serving(authenticate: Authenticator): Promise<Served> {
  const log = keptLog()
  const webhook = new Webhook({ authenticate, inbox: memory(), log })
  const server = await startServer({
    webhook,
    door: { port: 0, hostname: '127.0.0.1' },
    admin: { port: 0, tokens: [adminToken('acts', 'operate', operator)] },
    log,
  })
  const port = Number(new URL(server.adminUrl ?? '').port)
  return {
    server,
    log,
    readiness: (as) => ask(port, '/readyz', { token: as === 'operator' ? operator : undefined }),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

test('is not ready while the signing keys cannot be fetched, tells the log, and is ready when they can', async () => {
  await using keys = await jwksServer(rsa)
  keys.misbehave = (response) => void response.writeHead(500).end()
  await using served = await serving(
    allOf(apiKey('a key of 16 bytes'), signature({ jwks: keys.url, kid: 'a' })),
  )
  await expect
    .poll(async () => (await served.readiness('operator')).text)
    .toBe('not ready: the signing keys cannot be fetched\n')
  const errors = served.log.lines.filter(({ level }) => level === 'error')
  expect(errors).toMatchObject([{ message: 'the signing keys could not be fetched' }])
  const { hits } = keys
  await expect.poll(() => keys.hits, { timeout: 10_000 }).toBeGreaterThan(hits)
  keys.misbehave = undefined
  await expect.poll(async () => (await served.readiness('probe')).status, { timeout: 15_000 }).toBe(200)
  expect(served.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
    { message: 'the signing keys could not be fetched' },
    { message: 'the signing keys are fetched again' },
  ])
}, 40_000)

test('is not ready while no trusted key is among those fetched', async () => {
  await using keys = await jwksServer(publicJwk('rsa', { kid: 'another' }), { ...rsa, use: 'enc' })
  await using served = await serving(signature({ jwks: keys.url, kid: 'a' }))
  await expect
    .poll(async () => (await served.readiness('operator')).text)
    .toBe('not ready: no signing key that is trusted can be used\n')
})

test('is ready when one of several ways in needs no keys', async () => {
  await using keys = await jwksServer()
  keys.misbehave = (response) => void response.writeHead(500).end()
  await using served = await serving(
    anyOf(apiKey('a key of 16 bytes'), signature({ jwks: keys.url, kid: 'a' })),
  )
  await expect.poll(() => served.log.text()).toContain('could not be fetched')
  expect((await served.readiness('probe')).status).toBe(200)
})

test('nothing is fetched any more after stop', async () => {
  await using keys = await jwksServer()
  keys.misbehave = (response) => void response.writeHead(500).end()
  const served = await serving(signature({ jwks: keys.url, kid: 'a' }))
  await expect.poll(() => keys.hits).toBeGreaterThan(0)
  await served.server.stop()
  const { hits } = keys
  await new Promise((resolve) => setTimeout(resolve, 1_300))
  expect(keys.hits).toBe(hits)
})

test('answers the probes of Kubernetes: by address, without a token, and with nothing but a status', async () => {
  const server = await rig()
  const port = Number(new URL(String(server.server.adminUrl)).port)
  // What a kubelet sends for httpGet: the address of the pod as Host.
  const probe = async (path: string) => {
    await using sender = await raw(port)
    const lines = ['Host: 10.42.0.17:3001', 'User-Agent: kube-probe/1.34', 'Accept: */*', 'Connection: close']
    sender.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
    await sender.closed
    return sender.received()
  }
  expect(await probe('/readyz')).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nready\n$/)
  expect(await probe('/livez')).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nok\n$/)
  expect(await probe('/metrics')).toMatch(/^HTTP\/1\.1 421 /)
  expect(await probe('/readyz/')).toMatch(/^HTTP\/1\.1 421 /)
  expect(server.log.lines).toEqual([])
  await server.server.stop()
})

test('says no more than not ready to who has no token', async () => {
  await using keys = await jwksServer()
  keys.misbehave = (response) => void response.writeHead(500).end()
  await using served = await serving(signature({ jwks: keys.url, kid: 'a' }))
  const { status, text } = await served.readiness('probe')
  expect([status, text]).toEqual([503, 'not ready\n'])
})
