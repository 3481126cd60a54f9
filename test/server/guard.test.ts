import { describe, expect, test } from 'vitest'
import { adminToken, startServer } from 'fusewire/server'
import { apiKey, Webhook } from 'fusewire'
import { memory } from 'fusewire/testing'
import { raw, statuses } from '../support/raw.ts'
import { operator, reader, rig } from './rig.ts'

const api = '/fusewire/api'
const routes = [
  '/',
  '/nothing',
  '/readyz',
  '/metrics',
  ...['events', 'events/1', 'deliveries', 'dead-letters', 'receipts', 'stats', 'nodes', 'stream'].map(
    (route) => `${api}/${route}`,
  ),
  ...['events/1/reveal', 'replay', 'prune', 'erase', 'export'].map((route) => `${api}/${route}`),
]
/** As somebody would write a route to get past a path pattern. */
function disguisesOf(route: string): readonly string[] {
  return [
    route,
    route.toUpperCase(),
    `/${route}`,
    `/x/..${route}`,
    `/.${route}`,
    `${route}/`,
    `${route}%2f`,
    `${route}?token=${operator}`,
    `http://127.0.0.1${route}`,
    route.replaceAll('/', '//'),
    `/${route.slice(1).replaceAll('/', '%2f')}`,
    route.replace(/(?<=.).$/, (last) => `%${last.charCodeAt(0).toString(16)}`),
  ]
}

/** What anybody may ask: probes.test.ts. */
function isProbe(target: string, token: string | undefined, method: string): boolean {
  return target === '/readyz' && token === undefined && method === 'GET'
}

describe('without a token, with a wrong one or with two', () => {
  test.each(routes)('every way to write %s is answered 401, whatever the method', async (route) => {
    await using server = await rig()
    for (const target of disguisesOf(route)) {
      for (const token of [
        undefined,
        'another-token-of-thirty-two-bytes',
        `${operator}x`,
        `${operator} ${operator}`,
      ]) {
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          if (isProbe(target, token, method)) continue
          const { status, text, headers } = await server.ask(target, { token, method })
          expect([target, status]).toEqual([target, 401])
          expect(text).not.toContain(operator)
          expect(headers.get('www-authenticate')).toBe('Bearer')
          expect(headers.get('access-control-allow-origin')).toBeNull()
        }
      }
    }
    expect(server.log.lines).toEqual([])
  })
})

test('lets in a token, whatever its scope, to look', async () => {
  await using server = await rig()
  for (const token of [reader, operator]) expect((await server.ask('/readyz', { token })).status).toBe(200)
})

describe('what a browser can be made to send changes nothing', () => {
  test.each([
    ['a name that points here', { host: 'evil.example' }, 421],
    ['our name without its port', { host: '127.0.0.1' }, 421],
    ['our name with another port', { host: 'localhost:1' }, 421],
    ['a form of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another port of this machine', { 'sec-fetch-site': 'same-site' }, 403],
    ['an Origin elsewhere', { origin: 'https://evil.example' }, 403],
    ['an Origin on another port', { origin: 'http://localhost:1' }, 403],
    ['a sandboxed page', { origin: 'null' }, 403],
    ['two tokens', { authorization: [`Bearer ${operator}`, `Bearer ${reader}`] }, 400],
  ])('%s', async (_, headers, status) => {
    await using server = await rig()
    for (const route of routes) {
      for (const method of ['GET', 'POST']) {
        const told = await server.ask(route, { headers, method })
        expect([route, told.status]).toEqual([route, status])
      }
    }
    expect(server.log.lines).toEqual([])
  })

  test('a page that sends no token is no probe', async () => {
    await using server = await rig()
    const { host } = new URL(String(server.server.adminUrl))
    for (const headers of [
      { host, origin: 'https://evil.example' },
      { host, 'sec-fetch-site': 'cross-site' },
      { host: 'evil.example', 'sec-fetch-site': 'same-origin' },
    ]) {
      for (const target of ['/readyz', '/livez']) {
        const { status, text } = await server.ask(target, { token: undefined, headers })
        expect([401, 403, 421]).toContain(status)
        expect(text).not.toMatch(/^(ready|ok)/)
      }
    }
  })

  test('two Hosts', async () => {
    await using server = await rig()
    const { host, port } = new URL(String(server.server.adminUrl))
    await using client = await raw(Number(port))
    const lines = [`Host: ${host}`, `Host: ${host}`, `Authorization: Bearer ${operator}`]
    client.write(['GET /readyz HTTP/1.1', ...lines, '', ''].join('\r\n'))
    await client.closed
    expect(statuses(client.received())).toEqual([400])
  })

  test('a page of our own may ask', async () => {
    await using server = await rig()
    const origin = String(server.server.adminUrl)
    const headers = { origin, 'sec-fetch-site': 'same-origin' }
    expect((await server.ask('/readyz', { headers })).status).toBe(200)
  })
})

test('nothing it says may be framed, kept or guessed at', async () => {
  await using server = await rig()
  for (const token of [undefined, operator]) {
    const { headers } = await server.ask('/readyz', { token })
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
})

test.each([
  ['no token', () => []],
  ['a short secret', () => [adminToken('a', 'read', 'short')]],
  ['a hash that is none', () => [{ name: 'a', scope: 'read' as const, sha256: 'x' }]],
  ['a name that cannot stand in a log', () => [adminToken('a\nb', 'read', operator)]],
])('does not start with %s', async (_, tokens) => {
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const start = async () => {
    const webhook = new Webhook({ authenticate: apiKey('a key of 16 bytes'), inbox: memory(), log })
    const door = { port: 0, hostname: '127.0.0.1' }
    return startServer({ webhook, door, admin: { port: 0, tokens: tokens() }, log })
  }
  await expect(start()).rejects.toMatchObject({ code: 'FW_OPTION' })
})
