import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { allOf, apiKey, signature, Webhook } from 'fusewire'
import { serve } from 'fusewire/node'
import { memory } from 'fusewire/testing'
import { hasTerminal, harmless, run, start, startInTerminal } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-trigger-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Got {
  readonly headers: IncomingHttpHeaders
  readonly event: { readonly type: string; readonly id: string; readonly [field: string]: unknown }
}

/** Takes whatever comes, and answers what it is told. */
async function recorder(answer: () => number = () => 200) {
  const got: Got[] = []
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      got.push({ headers: request.headers, event: JSON.parse(body).event })
      response.writeHead(answer(), { location: 'http://127.0.0.1:4/' }).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  return {
    url: `http://127.0.0.1:${port}/hook`,
    got,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

test('a receiver that asks for a key and a signature lets it in', async () => {
  const secret = 'a secret that both of them know well'
  const inbox = memory()
  const webhook = new Webhook({
    authenticate: allOf(apiKey('the key of this test'), signature({ secret })),
    inbox,
  })
  await using served = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
  writeFileSync(join(folder, 'key'), 'the key of this test\n')
  const args = ['trigger', 'user.create', '--to', served.url]

  const ended = await run([...args, '--api-key', `file:${join(folder, 'key')}`, '--sign', 'env:SIGNING'], {
    env: { SIGNING: secret },
  })
  expect(ended).toMatchObject({ code: 0, err: '' })
  expect(ended.out).toMatch(/^200 {2}user\.create {2}[0-9a-f-]{36} {2}\d+ ms\n$/)
  expect((await inbox.stats()).events).toBe(1)

  const refused = await run([...args, '--api-key', '-'], { input: 'a guess' })
  expect(refused).toMatchObject({ code: 1, err: 'error: The event was not accepted.\n' })
  expect(refused.out).toContain('{"errors":[{"code":"[notAuthorized]"}]}')
})

test('puts values in their places', async () => {
  await using there = await recorder()
  const set = [
    'user.email=ada@example.com',
    'user.active=false',
    'user.data.deep.er={"a":[1]}',
    'user.registrations.0.roles=["x"]',
    'note=a=b',
  ]
  const { code } = await run([
    'trigger',
    'user.create',
    '--to',
    there.url,
    ...set.flatMap((one) => ['--set', one]),
  ])
  expect(code).toBe(0)
  expect(there.got[0]?.event).toMatchObject({
    type: 'user.create',
    user: {
      email: 'ada@example.com',
      active: false,
      data: { deep: { er: { a: [1] } } },
      registrations: [{ roles: ['x'] }],
    },
    note: 'a=b',
  })
})

test.each([
  '__proto__.x=1',
  'user.__proto__.x=1',
  'user.constructor.prototype.x=1',
  'user',
  '=1',
  'a..b=1',
  'user.registrations.first=1',
])('refuses --set %s, and sends nothing', async (assignment) => {
  await using there = await recorder()
  const { code, out, err } = await run(['trigger', 'user.create', '--to', there.url, '--set', assignment])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^error: --set [^\n]+\n$/)
  expect(there.got).toEqual([])
})

test('sends an event from a file, of whatever type, with an id of its own', async () => {
  await using there = await recorder()
  const file = join(folder, 'event.json')
  writeFileSync(file, JSON.stringify({ event: { type: 'newer.than.us', id: 'old', x: 1 } }))
  expect((await run(['trigger', 'newer.than.us', '--to', there.url, '--data', file])).code).toBe(0)
  expect(
    (
      await run(['trigger', 'newer.than.us', '--to', there.url, '--data', '-', '--set', 'id=same'], {
        input: '{"type":"newer.than.us"}',
      })
    ).code,
  ).toBe(0)
  expect(there.got.map(({ event }) => event)).toEqual([
    { type: 'newer.than.us', x: 1, id: expect.not.stringMatching('old'), createInstant: expect.any(Number) },
    { type: 'newer.than.us', id: 'same', createInstant: expect.any(Number) },
  ])
})

test('sends many, each with its own id, and sums up', async () => {
  await using there = await recorder()
  const { code, out } = await run([
    'trigger',
    'user.login.success',
    '--to',
    there.url,
    '--count',
    '50',
    '--rate',
    '500',
  ])
  expect(code).toBe(0)
  expect(out).toMatch(/^50 sent in [^\n]+\n {2}50 × 200\n {2}answered within /)
  expect(new Set(there.got.map(({ event }) => event.id)).size).toBe(50)
})

test('gives programs a line for each', async () => {
  await using there = await recorder(() => 503)
  const { code, out } = await run(['trigger', 'user.create', '--to', there.url, '--count', '3', '--json'])
  expect(code).toBe(1)
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatchObject({ status: 503, type: 'user.create' })
})

test('keeps to a rate', async () => {
  await using there = await recorder()
  const begun = performance.now()
  await run(['trigger', 'user.create', '--to', there.url, '--count', '11', '--rate', '10'])
  expect(performance.now() - begun).toBeGreaterThan(1000)
})

test.skipIf(!hasTerminal)(
  'draws its progress in a terminal, and nowhere else (needs util-linux)',
  async () => {
    await using there = await recorder()
    const args = ['trigger', 'user.create', '--to', there.url, '--count', '20', '--rate', '20']
    const { out } = await startInTerminal(args).ended
    expect(out).toMatch(/sending [█░]{24} \d+ of 20/)
    expect((await run(args)).err).toBe('')
  },
)

describe('bad input gets one sentence', () => {
  const env = {
    EMPTY: '',
    BROKEN: '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
    LINES: 'hunter2\nhunter2',
    FOREIGN: 'hunter2 ключ',
  }
  test.each([
    [['user.crate'], 2, 'Did you mean user.create?'],
    [['user.create', '--to', 'localhost:3000'], 2, 'begins with http://'],
    [['user.create', '--to', 'ftp://user:hunter2@127.0.0.1/'], 2, 'begins with http://'],
    [['user.create', '--to', 'http://user:hunter2@127.0.0.1:4/', '--debug'], 2, 'leave user and password'],
    [['user.create', '--to', 'http://127.0.0.1:4/'], 3, 'nothing listens there'],
    [['user.create', '--to', 'http://127.0.0.1:1/'], 3, 'bad port'],
    [['user.create', '--to', 'http://nowhere.invalid/'], 3, 'is not known'],
    [['user.create', '--count', '0'], 2, 'whole number from 1'],
    [['user.create', '--rate', '-1'], 2, 'whole number from 1'],
    [['user.create', '--api-key', 'hunter2-hunter2'], 2, 'not the secret itself'],
    [['user.create', '--api-key', 'file:/nowhere'], 2, '/nowhere does not exist'],
    [['user.create', '--header', 'nonsense'], 2, "'Name: value'"],
    [['user.create', '--data', '/nowhere.json'], 2, '/nowhere.json does not exist'],
    [['user.create', '--sign', 'env:EMPTY'], 2, 'empty'],
    [['user.create', '--sign', 'env:BROKEN'], 2, 'no private key'],
    [['user.create', '--api-key', 'env:LINES'], 2, 'printable ASCII'],
    [['user.create', '--api-key', 'env:FOREIGN', '--debug'], 2, 'printable ASCII'],
  ] as const)('%j', async (args, code, words) => {
    const ended = await run(['trigger', ...args], { env })
    expect(ended).toMatchObject({ code, out: '' })
    expect(ended.err).toContain(words)
    expect(ended.err).not.toContain('hunter2')
    if (!args.join(' ').includes('--debug')) expect(ended.err.trimEnd().split('\n')).toHaveLength(1)
  })
})

test('a redirect is no acceptance, and is not followed', async () => {
  await using there = await recorder(() => 307)
  expect((await run(['trigger', 'user.create', '--to', there.url])).code).toBe(1)
  expect(there.got).toHaveLength(1)
})

test('what a receiver answers cannot reach the terminal', async () => {
  const server = createServer((_, response) => response.writeHead(500).end('\u001b[2J\u009b2J\u202e')).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  for (const json of [[], ['--json']]) {
    const { out } = await run(['trigger', 'user.create', '--to', `http://127.0.0.1:${port}/`, ...json])
    expect(harmless(out)).toBe(true)
  }
  server.close()
})

test('an answer that does not end is read no further than needs be', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' })
    const zipped = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const flood = () => void (response.destroyed || (response.write(zipped), setTimeout(flood, 10)))
    flood()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  const { code, out } = await run(['trigger', 'user.create', '--to', `http://127.0.0.1:${port}/`, '--json'])
  expect(code).toBe(0)
  expect(String(JSON.parse(out).body).length).toBe(16 * 1024)
  server.close()
})

test('a stack is told with --debug only, and never a secret', async () => {
  const env = { KEY: 'hunter2-hunter2' }
  const args = ['trigger', 'user.create', '--to', 'http://127.0.0.1:4/', '--api-key', 'env:KEY']
  expect((await run(args, { env })).err).not.toContain(' at ')
  const { err } = await run([...args, '--debug'], { env })
  expect(err).toContain('ECONNREFUSED')
  expect(err).not.toContain('hunter2')
})

test('Ctrl+C ends it at once', async () => {
  await using there = await recorder()
  const running = start([
    'trigger',
    'user.create',
    '--to',
    there.url,
    '--count',
    '1000',
    '--rate',
    '1',
    '--json',
  ])
  await running.says('"status":200')
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(null)
})
