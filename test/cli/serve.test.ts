import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { sqlite } from 'fusewire/sqlite'
import { sample } from 'fusewire/testing'
import { hasTerminal, run, start, startInTerminal, type Running, type Surroundings } from './command.ts'
import { freePort } from '../support/free-port.ts'

// Inside the repository, so that handlers find the package as an application's would.
const folder = mkdtempSync(join(import.meta.dirname, '.serve-'))
afterAll(() => rmSync(folder, { recursive: true }))

const key = 'the key of this test'

/** An empty folder to run in. */
function place(files: Readonly<Record<string, string>> = {}): string {
  const cwd = mkdtempSync(join(folder, 'place-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), content, { mode: 0o644 })
  }
  return cwd
}

interface Serving extends AsyncDisposable {
  readonly running: Running
  readonly url: string
  readonly adminUrl?: string
  send(event: object, headers?: Record<string, string>): Promise<number>
}

async function serving(
  cwd: string,
  args: readonly string[] = [],
  around: Surroundings = {},
): Promise<Serving> {
  const running = start(
    ['serve', '--port', '0', '--host', '127.0.0.1', '--api-key', 'env:KEY', '--allow-volatile', ...args],
    {
      cwd,
      ...around,
      env: { KEY: key, ...around.env },
    },
  )
  await running.says('ready for events')
  const ready =
    running
      .out()
      .split('\n')
      .find((line) => line.includes('ready for events')) ?? '{}'
  const { url, adminUrl } = JSON.parse(ready) as { url: string; adminUrl?: string }
  return {
    running,
    url,
    ...(adminUrl !== undefined && { adminUrl }),
    async send(event, headers = { authorization: key }) {
      const body = JSON.stringify({ event })
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      })
      return response.status
    },
    async [Symbol.asyncDispose]() {
      running.child.kill('SIGTERM')
      await running.ended
    },
  }
}

test('lets in the key and the next one while a key is replaced', async () => {
  const next = 'the key of tomorrow'
  await using receiver = await serving(place(), [], { env: { FUSEWIRE_API_KEY_NEXT: next } })
  const sent = sample('user.create')
  expect(await receiver.send(sent)).toBe(200)
  expect(await receiver.send(sent, { authorization: next })).toBe(200)
  expect(await receiver.send(sent, { authorization: 'the key of yesterday' })).toBe(401)
})

test('keeps every event without handlers, and stops by signal', async () => {
  const cwd = place()
  const server = await serving(cwd)
  expect(await server.send(sample('user.create'))).toBe(200)
  expect(await server.send({ type: 'newer.than.us', id: 'x', createInstant: Date.now() })).toBe(200)
  expect(await server.send(sample('user.create'), { authorization: 'a guess' })).toBe(401)
  server.running.child.kill('SIGTERM')
  expect((await server.running.ended).code).toBe(0)
  await using inbox = sqlite(join(cwd, 'inbox.db'), { allowVolatile: true })
  expect((await inbox.stats()).events).toBe(2)
  expect(statSync(join(cwd, 'inbox.db')).mode & 0o777).toBe(0o600)
})

test('runs the handlers that a TypeScript file adds', async () => {
  const cwd = place({
    'handlers.ts': `import { appendFileSync } from 'node:fs'
      import type { Webhook } from 'fusewire'
      export default (webhook: Webhook) => {
        webhook.gate('user.create', ({ event }) => { if (event.user.email === 'no@example.com') throw new Error('no') })
        webhook.on('user.create.complete', ({ event }) => appendFileSync('handled.txt', event.user.id))
      }`,
  })
  await using server = await serving(cwd, ['handlers.ts', '--traffic'])
  expect(await server.send(sample('user.create', { user: { email: 'no@example.com' } }))).toBe(500)
  expect(await server.send(sample('user.create.complete', { user: { id: 'ada' } }))).toBe(200)
  await server.running.says('"outcome":"succeeded"')
  expect(existsSync(join(cwd, 'handled.txt'))).toBe(true)
  for (const line of server.running.out().trimEnd().split('\n')) {
    expect(JSON.parse(line)).toMatchObject({
      level: expect.any(String),
      time: expect.any(Number),
      msg: expect.any(String),
    })
    expect(line).not.toContain('ada@example.com')
  }
})

test("serves a webhook of the file's own", async () => {
  const cwd = place({
    'webhook.mjs': `import { apiKey, Webhook } from 'fusewire'
      export const webhook = new Webhook({ authenticate: apiKey('a key of its very own'), inbox: 'none' })
      webhook.gate('user.delete', () => { throw new Error('no') })`,
  })
  const running = start(['serve', 'webhook.mjs', '--port', '0', '--host', '127.0.0.1'], { cwd })
  const said = await running.says('ready for events')
  const url = /http:[^"\s]+/.exec(said)?.[0] ?? ''
  const body = JSON.stringify({ event: sample('user.delete') })
  const headers = { 'content-type': 'application/json', authorization: 'a key of its very own' }
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(500)
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)

  const both = await run(['serve', 'webhook.mjs', '--api-key', 'env:KEY'], { cwd, env: { KEY: key } })
  expect(both).toMatchObject({ code: 2, out: '' })
  expect(both.err).toContain('--api-key cannot change')
})

test('opens the admin listener for who has a token', async () => {
  const token = 'a-token-of-32-characters-for-this'
  await using server = await serving(place(), ['--admin-port', '0', '--admin-token', 'env:TOKEN'], {
    env: { TOKEN: token },
  })
  const metrics = (headers: Record<string, string>) => fetch(`${server.adminUrl}/metrics`, { headers })
  expect((await metrics({})).status).toBe(401)
  expect((await metrics({ authorization: `Bearer ${token}` })).status).toBe(200)
  expect(await (await fetch(`${server.adminUrl}/readyz`)).text()).toBe('ready\n')
})

test('hands every event on, signed, and refuses to do so unsigned', async () => {
  const got: { id: string; signature: string }[] = []
  const there = createHttpServer((request, response) => {
    const { 'webhook-id': id, 'webhook-signature': signature } = request.headers
    got.push({ id: String(id), signature: String(signature) })
    request.resume().on('end', () => response.end())
  }).listen(0, '127.0.0.1')
  await once(there, 'listening')
  const to = `http://127.0.0.1:${(there.address() as AddressInfo).port}/events` // A listening TCP server has one.
  const env = { SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`, KEY: key }
  await using server = await serving(place(), ['--forward', to, '--forward-secret', 'env:SECRET'], { env })
  expect(await server.send(sample('user.create'))).toBe(200)
  await expect.poll(() => got).toMatchObject([{ signature: expect.stringMatching(/^v1,/) }])
  const unsigned = await run(['serve', '--api-key', 'env:KEY', '--allow-volatile', '--forward', to], {
    cwd: place(),
    env,
  })
  expect(unsigned).toMatchObject({ code: 2, out: '' })
  expect(unsigned.err).toContain('need each other')
  there.close()
  there.closeAllConnections()
})

test('takes its settings from the config file beside package.json', async () => {
  const cwd = place({
    'package.json': '{"type":"module"}',
    'fusewire.config.ts': `export default { port: 0, host: '127.0.0.1', path: '/hook', inbox: 'sqlite:mine.db', allowVolatile: true, apiKey: process.env['KEY'] }`,
  })
  const running = start(['serve'], { cwd, env: { KEY: key } })
  expect(await running.says('ready for events')).toContain('/hook')
  expect(existsSync(join(cwd, 'mine.db'))).toBe(true)
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)
})

test.skipIf(!hasTerminal)('tells people in lines, and programs in JSON (needs util-linux)', async () => {
  const running = startInTerminal(
    [
      'serve',
      '--port',
      '0',
      '--host',
      '127.0.0.1',
      '--authenticate',
      'none',
      '--allow-volatile',
      '--traffic',
    ],
    { cwd: place() },
  )
  const url = /http:[\w.:/-]+/.exec(await running.says('ready for events'))?.[0] ?? ''
  const body = JSON.stringify({ event: { ...sample('user.create'), id: '\u001b]52;c;cHduZWQ=\u0007' } })
  await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const said = await running.says('user.create')
  expect(stripVTControlCharacters(said)).toMatch(/\d\d:\d\d:\d\d 200 kept/)
  expect(said).not.toContain('\u001b]')
  running.child.kill('SIGTERM')
  await running.ended
})

test('listens, answers 503 and waits while the database is away, and a signal ends it', async () => {
  const port = await freePort()
  const running = start(
    [
      'serve',
      '--port',
      String(port),
      '--host',
      '127.0.0.1',
      '--api-key',
      'env:KEY',
      '--inbox',
      'postgres:env:DB',
    ],
    { cwd: place(), env: { KEY: key, DB: `postgres://u:hunter2@127.0.0.1:4/d` } },
  )
  await running.says('the inbox cannot be opened; it is tried again')
  const send = async (authorization: string) => {
    const headers = { 'content-type': 'application/json', authorization }
    const body = JSON.stringify({ event: sample('user.create') })
    return (await fetch(`http://127.0.0.1:${port}/fusionauth-webhook`, { method: 'POST', headers, body }))
      .status
  }
  expect(await send(key)).toBe(503)
  expect(await send('a guess')).toBe(401)
  expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200)
  running.child.kill('SIGTERM')
  const { code, out, err } = await running.ended
  expect(code).toBe(0)
  expect(out).not.toContain('ready for events')
  expect(out + err).not.toContain('hunter2')
})

describe('bad input gets one sentence, and nothing is half-done', () => {
  test.each([
    [['serve'], 2, 'Say who may speak'],
    [['serve', 'nowhere.ts'], 2, 'nowhere.ts does not exist'],
    [['serve', 'throws.ts'], 2, /throws.ts cannot be run: no handlers today \(\S+throws.ts:2\)\n$/],
    [['serve', 'syntax.ts'], 2, /syntax.ts cannot be run: .+ \(\S+syntax.ts:1\)\n$/],
    [['serve', 'syntax.mjs'], 2, /syntax.mjs cannot be run: .+\. node syntax.mjs shows where\.\n$/],
    [['serve', 'enum.ts'], 2, /enum is not supported in strip-only mode \(\S+enum.ts:1\)\n$/],
    [['serve', '$(touch pwned).mjs'], 2, "node '$(touch pwned).mjs' shows where."],
    [['serve', 'imports.ts'], 2, "imports.ts cannot be run: Cannot find package 'nobody'"],
    [
      ['serve', 'common/handlers.ts'],
      2,
      'common/handlers.ts is read as CommonJS: name it common/handlers.mts',
    ],
    [['serve', 'common'], 2, 'common is a folder'],
    [['serve', 'notes.txt'], 2, 'notes.txt cannot be run: only .ts'],
    [['serve', 'empty.ts'], 2, 'must export a webhook'],
    [
      ['serve', 'twice.ts', '--api-key', 'env:KEY'],
      2,
      'twice.ts cannot add its handlers: There is a handler',
    ],
    [['serve', 'own.ts', '--port', '0'], 3, 'The receiver cannot start'],
    [['serve', '--api-key', 'env:KEY', '--inbox', 'mysql:x'], 2, '--inbox takes sqlite:FILE'],
    [
      ['serve', '--api-key', 'env:KEY', '--inbox', 'postgres:postgres://u:hunter2@h/d'],
      2,
      'not the secret itself',
    ],
    [
      ['serve', '--api-key', 'env:KEY', '--inbox', 'sqlite:/nowhere/inbox.db'],
      3,
      'There is no folder /nowhere',
    ],
    [['serve', '--api-key', 'env:KEY', '--inbox', 'sqlite:common'], 3, 'common is a folder'],
    [
      ['serve', '--api-key', 'env:KEY', '--port', '0', '--allow-volatile', '--inbox', 'sqlite:notes.txt'],
      3,
      'is no SQLite database',
    ],
    [
      ['serve', '--api-key', 'env:KEY', '--port', '0', '--inbox', 'sqlite:/dev/shm/fusewire-test.db'],
      3,
      'Here: --allow-volatile.',
    ],
    [
      ['serve', '--api-key', 'env:KEY', '--port', '0', '--inbox', 'postgres:env:DB', '--start-within', '0'],
      3,
      'cannot be opened',
    ],
    [['serve', '--api-key', 'env:KEY', '--allow-volatile', '--path', 'hook'], 2, 'path'],
    [['serve', '--api-key', 'env:KEY', '--admin-token', 'env:SHORT', '--allow-volatile'], 2, '16 to 1,024'],
    [['serve', '--authenticate', 'all'], 2, 'It can only be none'],
    [['serve', '--api-key', 'env:BLANK'], 2, 'empty'],
  ] as const)('%j', async (args, code, words) => {
    const cwd = place({
      'throws.ts': "\nthrow new Error('no handlers today')",
      'syntax.ts': 'export default (',
      'syntax.mjs': 'export default (',
      '$(touch pwned).mjs': 'export default (',
      'enum.ts': 'enum Colour { red }',
      'imports.ts': "import 'nobody'",
      'common/package.json': '{ "type": "commonjs" }',
      'common/handlers.ts': 'export default () => {}',
      'notes.txt':
        'A text that is longer than the sixteen bytes at the head of a database, and begins in another way.',
      'own.ts': `import { Webhook } from 'fusewire'; import { sqlite } from 'fusewire/sqlite'
        export default new Webhook({ authenticate: 'none', inbox: sqlite('/nowhere/inbox.db') })`,
      'empty.ts': 'export const nothing = 1',
      'twice.ts': `export default (webhook) => { webhook.on('user.create.complete', () => {}); webhook.on('user.create.complete', () => {}) }`,
    })
    const env = { KEY: key, BLANK: '', SHORT: 'short', DB: 'postgres://u:hunter2@127.0.0.1:4/d' }
    const ended = await run(args, { cwd, env })
    expect(ended).toMatchObject({ code, out: '' })
    expect(ended.err).toEqual(
      typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
    )
    expect(ended.err).not.toContain('hunter2')
    expect(ended.err.trimEnd().split('\n')).toHaveLength(1)
  })

  test('a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo // A listening TCP server has one.
    const args = ['serve', '--api-key', 'env:KEY', '--host', '127.0.0.1', '--allow-volatile']
    const door = await run([...args, '--port', String(port)], { cwd: place(), env: { KEY: key } })
    expect(door).toMatchObject({ code: 3, out: '' })
    expect(door.err).toBe(`error: Port ${port}: another program listens there. Choose another with --port.\n`)
    const admin = await run(
      [...args, '--port', '0', '--admin-port', String(port), '--admin-token', 'env:TOKEN'],
      {
        cwd: place(),
        env: { KEY: key, TOKEN: 'a-token-of-32-characters-for-this' },
      },
    )
    expect(admin.err).toBe(
      `error: Port ${port}: another program listens there. Choose another with --admin-port.\n`,
    )
    taken.close()
  })

  test('a file system that forgets', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'fusewire-serve-'))
    const { code, err } = await run(
      ['serve', '--api-key', 'env:KEY', '--port', '0', '--inbox', 'sqlite:/dev/shm/fusewire-test.db'],
      { cwd, env: { KEY: key } },
    )
    rmSync(cwd, { recursive: true })
    expect(code).toBe(3)
    expect(err).toContain('FW_DISK_NOT_DURABLE')
    expect(existsSync('/dev/shm/fusewire-test.db')).toBe(false)
  })
})
