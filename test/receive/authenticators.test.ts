import { setTimeout as pause } from 'node:timers/promises'
import { allOf, anyOf, apiKey, type Authenticator, basicAuth, check, signature, Webhook } from 'fusewire'
import { request } from 'fusewire/testing'
import { describe, expect, test } from 'vitest'
import { door, good, userDelete } from '../support/door.ts'
import { secret, tokenFor } from '../support/keys.ts'
import { keptLog } from '../support/log.ts'
import { rimNames } from '../support/rims.ts'

const one = 'first-key-of-a-rotation-0123'
const two = 'second-key-of-a-rotation-0123'
const latin1 = (text: string) => Buffer.from(text).toString('latin1')
const basic = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`
const login = { username: 'fusionauth', password: 'pass:word of 16 bytes' }
const never = () => new Promise<never>(() => {})

interface Case {
  readonly name: string
  readonly authenticate: () => Authenticator
  readonly headers: Record<string, string>
  readonly status: 200 | 401 | 500
}

const cases: readonly Case[] = [
  {
    name: 'apiKey: the first of a rotation',
    authenticate: () => apiKey([one, two]),
    headers: { authorization: one },
    status: 200,
  },
  {
    name: 'apiKey: the second of a rotation',
    authenticate: () => apiKey([one, two]),
    headers: { authorization: two },
    status: 200,
  },
  {
    name: 'apiKey: both, joined',
    authenticate: () => apiKey([one, two]),
    headers: { authorization: `${one}, ${two}` },
    status: 401,
  },
  {
    name: 'apiKey: a list with undefined',
    authenticate: () => apiKey([undefined, two]),
    headers: { authorization: two },
    status: 200,
  },
  {
    name: 'apiKey: "undefined" where one is undefined',
    authenticate: () => apiKey([undefined, two]),
    headers: { authorization: 'undefined' },
    status: 401,
  },
  {
    name: 'apiKey: a function of a list',
    authenticate: () => apiKey([one, async () => two]),
    headers: { authorization: two },
    status: 200,
  },
  {
    name: 'apiKey: a function that gives undefined beside a key',
    authenticate: () => apiKey([() => undefined, two]),
    headers: { authorization: two },
    status: 200,
  },
  {
    name: 'apiKey: a function that gives undefined alone',
    authenticate: () => apiKey(() => undefined),
    headers: { authorization: 'undefined' },
    status: 500,
  },
  {
    name: 'apiKey: a function that gives nothing',
    authenticate: () => apiKey(() => ''),
    headers: { authorization: '' },
    status: 500,
  },
  {
    name: 'apiKey: a header of its own',
    authenticate: () => apiKey(one, { header: 'X-Webhook-Key' }),
    headers: { 'x-webhook-key': one },
    status: 200,
  },
  {
    name: 'apiKey: a header of its own, given in Authorization',
    authenticate: () => apiKey(one, { header: 'X-Webhook-Key' }),
    headers: { authorization: one },
    status: 401,
  },
  {
    name: 'apiKey: a key of other letters, as UTF-8',
    authenticate: () => apiKey('schlüssel-ключ-0123456789'),
    headers: { authorization: latin1('schlüssel-ключ-0123456789') },
    status: 200,
  },
  {
    name: 'apiKey: ü as Latin-1',
    authenticate: () => apiKey('schlüssel-0123456789'),
    headers: { authorization: 'schlüssel-0123456789' },
    status: 401,
  },
  {
    name: 'apiKey: the same letters composed otherwise',
    authenticate: () => apiKey('cafe\u0301-0123456789-x'),
    headers: { authorization: latin1('caf\u00e9-0123456789-x') },
    status: 401,
  },
  {
    name: 'apiKey: the short key of FusionAuth’s own document',
    authenticate: () => apiKey('API-KEY'),
    headers: { authorization: 'API-KEY' },
    status: 200,
  },
  {
    name: 'basicAuth',
    authenticate: () => basicAuth(login),
    headers: { authorization: basic('fusionauth:pass:word of 16 bytes') },
    status: 200,
  },
  {
    name: 'basicAuth: basic in small letters',
    authenticate: () => basicAuth(login),
    headers: { authorization: basic('fusionauth:pass:word of 16 bytes').replace('Basic', 'basic') },
    status: 200,
  },
  {
    name: 'basicAuth: another password',
    authenticate: () => basicAuth(login),
    headers: { authorization: basic('fusionauth:pass') },
    status: 401,
  },
  {
    name: 'basicAuth: another user',
    authenticate: () => basicAuth(login),
    headers: { authorization: basic('fusion:pass:word of 16 bytes') },
    status: 401,
  },
  {
    name: 'basicAuth: the colon moved',
    authenticate: () => basicAuth({ username: 'ab', password: 'c:0123456789abcdef' }),
    headers: { authorization: basic('ab:c:0123456789abcdef') },
    status: 200,
  },
  {
    name: 'basicAuth: unpadded',
    authenticate: () => basicAuth(login),
    headers: { authorization: basic('fusionauth:pass:word of 16 bytes').replace(/=+$/, '') },
    status: basic('fusionauth:pass:word of 16 bytes').endsWith('=') ? 401 : 200,
  },
  {
    name: 'basicAuth: base64url',
    authenticate: () => basicAuth({ username: 'a', password: '???>>>~~~0123456' }),
    headers: { authorization: `Basic ${Buffer.from('a:???>>>~~~0123456').toString('base64url')}` },
    status: 401,
  },
  {
    name: 'basicAuth: in clear',
    authenticate: () => basicAuth(login),
    headers: { authorization: 'Basic fusionauth:pass:word of 16 bytes' },
    status: 401,
  },
  {
    name: 'basicAuth: letters beyond ASCII',
    authenticate: () => basicAuth({ username: 'ада', password: 'пароль-0123456789' }),
    headers: { authorization: basic('ада:пароль-0123456789') },
    status: 200,
  },
  {
    name: 'basicAuth: a rotation',
    authenticate: () =>
      basicAuth([
        { username: 'old', password: one },
        { username: 'new', password: () => two },
      ]),
    headers: { authorization: basic(`new:${two}`) },
    status: 200,
  },
  {
    name: 'basicAuth: the logins of a rotation mixed',
    authenticate: () =>
      basicAuth([
        { username: 'old', password: one },
        { username: 'new', password: two },
      ]),
    headers: { authorization: basic(`old:${two}`) },
    status: 401,
  },
  ...[true, false, undefined, null, 1, 'true', {}, [], Object(true)].map((answer, index) => ({
    name: `check: ${JSON.stringify(answer)} (${index})`,
    // What JavaScript may give although the types forbid it.
    authenticate: () => check('mine', () => answer as boolean),
    headers: {},
    status: answer === true ? (200 as const) : (401 as const),
  })),
  {
    name: 'check: a promise of true',
    authenticate: () =>
      check('mine', async () => {
        await pause(1)
        return true
      }),
    headers: {},
    status: 200,
  },
  {
    name: 'check: throws',
    authenticate: () =>
      check('mine', () => {
        throw new Error('no')
      }),
    headers: {},
    status: 401,
  },
  {
    name: 'check: throws undefined',
    authenticate: () =>
      check('mine', () => {
        throw undefined
      }),
    headers: {},
    status: 401,
  },
  {
    name: 'check: rejects',
    authenticate: () =>
      check('mine', async () => {
        throw new Error('no')
      }),
    headers: {},
    status: 401,
  },
  { name: 'check: hangs', authenticate: () => check('mine', never), headers: {}, status: 401 },
  {
    name: 'check: true after its second',
    authenticate: () =>
      check('mine', async () => {
        await pause(1050)
        return true
      }),
    headers: {},
    status: 401,
  },
  {
    name: 'allOf: all',
    authenticate: () =>
      allOf(
        apiKey(one),
        check('mine', () => true),
      ),
    headers: { authorization: one },
    status: 200,
  },
  {
    name: 'allOf: all but one',
    authenticate: () =>
      allOf(
        apiKey(one),
        check('mine', () => false),
      ),
    headers: { authorization: one },
    status: 401,
  },
  {
    name: 'anyOf: the first',
    authenticate: () => anyOf(apiKey(one), basicAuth(login)),
    headers: { authorization: one },
    status: 200,
  },
  {
    name: 'anyOf: the second',
    authenticate: () => anyOf(apiKey(one), basicAuth(login)),
    headers: { authorization: basic('fusionauth:pass:word of 16 bytes') },
    status: 200,
  },
  {
    name: 'anyOf: none',
    authenticate: () => anyOf(apiKey(one), basicAuth(login)),
    headers: { authorization: 'x' },
    status: 401,
  },
  {
    name: 'anyOf: a check that throws, and a key',
    authenticate: () =>
      anyOf(
        check('mine', () => {
          throw new Error('no')
        }),
        apiKey(one),
      ),
    headers: { authorization: one },
    status: 200,
  },
]

describe.each(rimNames)('%s', (rim) => {
  test.each(cases)('$name: $status', async ({ authenticate, headers, status }) => {
    await using at = await door(rim, {
      authenticate: authenticate(),
      hidden: [one, two, 'pass:word', 'пароль'],
    })
    const told = await at.send({
      headers: { 'content-type': 'application/json', ...headers },
      body: userDelete(),
    })
    expect(told.status).toBe(status)
    expect(at.ran.length).toBe(status === 200 ? 1 : 0)
  })

  test('a secret that cannot be fetched is 500 until it can, and requests have it fetched once a second', async () => {
    const fetchedAt: number[] = []
    const fetchKey = async () => {
      fetchedAt.push(performance.now())
      if (fetchedAt.length < 3) throw new Error('the vault is sealed')
      return one
    }
    await using at = await door(rim, { authenticate: apiKey(fetchKey), hidden: [one] })
    const send = async () =>
      (await at.send({ headers: { ...good, authorization: one }, body: userDelete() })).status
    expect(await send()).toBe(500)
    await expect.poll(send, { timeout: 10_000 }).toBe(200)
    expect(await send()).toBe(200)
    expect(fetchedAt).toHaveLength(3)
    for (const [index, at] of fetchedAt.slice(1).entries())
      expect(at - (fetchedAt[index] ?? 0)).toBeGreaterThan(950)
    expect(at.log.text()).toContain('the vault is sealed')
    const told = at.log.lines.filter(({ level }) => level === 'error')
    expect(told.length).toBeLessThanOrEqual(fetchedAt.length + 1)
  })

  test('allOf with a signature binds the body, anyOf asks it only when the key is wrong', async () => {
    const body = userDelete()
    const signed = { 'x-fusionauth-signature-jwt': tokenFor(body, 'HS256') }
    await using both = await door(rim, {
      authenticate: allOf(signature({ secret }), apiKey(one)),
      hidden: [secret, one],
    })
    await using either = await door(rim, {
      authenticate: anyOf(signature({ secret }), apiKey(one)),
      hidden: [secret, one],
    })
    const plain = { 'content-type': 'application/json' }
    const tries = [
      [{ ...plain, ...signed, authorization: one }, body, 200, 200],
      [{ ...plain, ...signed }, body, 401, 200],
      [{ ...plain, authorization: one }, body, 401, 200],
      [{ ...plain, ...signed, authorization: one }, userDelete(), 401, 200],
      [{ ...plain, ...signed }, userDelete(), 401, 401],
    ] as const
    for (const [headers, text, all, any] of tries) {
      expect((await both.send({ headers, body: text })).status).toBe(all)
      expect((await either.send({ headers, body: text })).status).toBe(any)
    }
  })

  test('signature: several secrets let an old and a new one in', async () => {
    const old = 'the-secret-before-this-one-0123456789'
    const body = userDelete()
    await using at = await door(rim, {
      authenticate: signature({ secret: [old, () => secret] }),
      hidden: [old, secret],
    })
    const headers = {
      'content-type': 'application/json',
      'x-fusionauth-signature-jwt': tokenFor(body, 'HS512'),
    }
    expect((await at.send({ headers, body })).status).toBe(200)
  })

  test("authenticate 'none' lets in this machine over node only, and nothing that came through a proxy or from a page", async () => {
    await using at = await door(rim, { authenticate: 'none' })
    const headers = { 'content-type': 'application/json' }
    expect((await at.send({ headers, body: userDelete() })).status).toBe(rim === 'node' ? 200 : 401)
    const proxied = {
      Forwarded: 'for=1.2.3.4',
      Via: '1.1 proxy',
      'X-Forwarded-For': '127.0.0.1',
      'X-Forwarded-Host': 'localhost',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Port': '443',
      'X-Forwarded-Server': 'proxy',
      'X-Forwarded-Prefix': '/',
      'X-Real-IP': '127.0.0.1',
      Origin: 'http://a-name-that-points-here.example:3000',
      'Sec-Fetch-Site': 'same-origin',
    }
    for (const [name, value] of Object.entries(proxied)) {
      const told = await at.send({ headers: { ...headers, [name]: value }, body: userDelete() })
      expect(told.status, name).toBe(401)
    }
  })
})

describe("authenticate 'none' over receive", () => {
  test.each([
    ['127.0.0.1', 200],
    ['127.8.9.10', 200],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
    ['192.168.0.1', 401],
    ['::ffff:10.0.0.1', 401],
    ['::2', 401],
    ['1.127.0.0.1', 401],
    ['::1%eth0', 401],
    ['', 401],
    [undefined, 401],
  ])('a caller from %s: %s', async (remoteAddress, status) => {
    await using webhook = new Webhook({ authenticate: 'none', inbox: 'none', log: keptLog() })
    const from = remoteAddress === undefined ? {} : { remoteAddress }
    expect((await webhook.receive(request('user.delete'), from)).status).toBe(status)
  })
})

describe('at the start', () => {
  test.each([
    ['an API key under 16 bytes', apiKey('API-KEY'), 'shorter than 16 bytes'],
    [
      'a signature secret under its hash',
      signature({ secret: 'a secret of 24 characters' }),
      'shorter than the hash',
    ],
  ])('%s is warned about, without its value', async (_, authenticate, warning) => {
    const log = keptLog()
    await using webhook = new Webhook({ authenticate, inbox: 'none', log })
    await webhook.start()
    expect(log.text()).toContain(warning)
    expect(log.text()).not.toMatch(/API-KEY|24 characters/)
  })

  test.each([
    ['apiKey', apiKey(() => undefined), 'FW_KEY_MISSING', /apiKey is undefined/],
    ['apiKey blank', apiKey(() => ' '), 'FW_KEY_MISSING', /apiKey is blank/],
    [
      'basicAuth',
      basicAuth({ username: 'a', password: () => undefined }),
      'FW_KEY_MISSING',
      /basicAuth: password/,
    ],
    ['signature', signature({ secret: () => undefined }), 'FW_KEY_MISSING', /signature: secret/],
    [
      'signature with a PEM',
      signature({ secret: () => '-----BEGIN PUBLIC KEY-----' }),
      'FW_KEY',
      /secret is a PEM key/,
    ],
    [
      'signature with a short secret',
      signature({ secret: async () => 'short' }),
      'FW_KEY',
      /shorter than 16 bytes/,
    ],
  ])('a secret that is missing or wrong stops it: %s', async (_, authenticate, code, message) => {
    await using webhook = new Webhook({ authenticate, inbox: 'none', log: keptLog() })
    await expect(webhook.start()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('nothing is read before it', () => {
    const read: string[] = []
    const note = () => {
      read.push('read')
      return one
    }
    void new Webhook({ authenticate: anyOf(apiKey(note), signature({ secret: note })), inbox: 'none' })
    expect(read).toEqual([])
  })
})
