import { once } from 'node:events'
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  existsSync,
  statSync,
  symlinkSync,
  writeFileSync,
  copyFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminToken, type Server, startServer } from 'fusewire/server'
import { sample } from 'fusewire/testing'
import { hasTerminal, harmless, run, startInTerminal } from './command.ts'
import { ada, fill, hostile, ids, key, receiver } from './filled-inbox.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-inbox-'))
const master = join(folder, 'master.db')
afterAll(() => rmSync(folder, { recursive: true }))
beforeAll(() => fill(master))

/** A copy that a test may change. */
function copy(): string {
  const file = join(folder, `${crypto.randomUUID()}.db`)
  copyFileSync(master, file)
  return file
}

const token = 'a-token-that-may-do-everything-here'
const reader = 'a-token-that-may-only-look-32-bytes'

/** The two ends of the same inbox. */
async function local(): Promise<{ args: readonly string[] } & AsyncDisposable> {
  return { args: ['--inbox', `sqlite:${copy()}`], async [Symbol.asyncDispose]() {} }
}

async function remote(): Promise<{ args: readonly string[]; server: Server } & AsyncDisposable> {
  const server = await startServer({
    webhook: receiver(copy()),
    door: { port: 0, hostname: '127.0.0.1' },
    admin: { port: 0, tokens: [adminToken('acts', 'operate', token), adminToken('looks', 'read', reader)] },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    signals: false,
  })
  const args = ['--server', server.adminUrl ?? '', '--token', 'env:TOKEN']
  return { args, server, [Symbol.asyncDispose]: () => server.stop() }
}

const env = { TOKEN: token, READER: reader }
const inbox = (verb: string, ...args: readonly string[]) => run(['inbox', verb, ...args], { env })
const lines = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe.each([
  ['the inbox itself', local],
  ['a running server', remote],
] as const)('through %s', (_, open) => {
  test('list shows events with what became of them, newest first', async () => {
    await using end = await open()
    const { code, out, err } = await inbox('list', ...end.args)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const shown = out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {2,}/).slice(1))
    expect(shown).toEqual([
      ['user.create', ids.refused, 'refused'],
      ['user.create.complete', ids.hostile, 'succeeded'],
      ['user.delete.complete', ids.dead, 'dead'],
      ['user.create.complete', ids.well, 'succeeded'],
    ])
  })

  test('list filters, limits and turns round', async () => {
    await using end = await open()
    const idsOf = async (...args: readonly string[]) => {
      const { code, out } = await inbox('list', ...end.args, ...args, '--json')
      expect(code).toBe(0)
      return out === '' ? [] : lines(out).map(({ id }) => id)
    }
    expect(await idsOf('--state', 'dead')).toEqual([ids.dead])
    expect(await idsOf('--user', ada, '--oldest')).toEqual([ids.well, ids.dead])
    expect(await idsOf('--handler', 'mail', '--limit', '1')).toEqual([ids.hostile])
    expect(await idsOf('--type', 'user.create', '--type', 'user.delete.complete')).toEqual([
      ids.refused,
      ids.dead,
    ])
    expect(await idsOf('--error', 'the crm SAYS')).toEqual([ids.dead])
    expect(await idsOf('--until', '1h')).toEqual([])
    expect(await idsOf('--since', '2026-01-31')).toHaveLength(4)
  })

  test('show hides what names a person, and reveals it when asked', async () => {
    await using end = await open()
    const hidden = await inbox('show', ids.dead, ...end.args)
    expect(hidden).toMatchObject({ code: 0, err: '' })
    expect(hidden.out).toContain('the CRM says')
    expect(hidden.out).toContain(ada)
    expect(hidden.out).not.toContain('Lovelace')
    const revealed = await inbox('show', ids.dead, ...end.args, '--reveal', '--json')
    expect(JSON.parse(revealed.out)).toMatchObject({
      id: ids.dead,
      event: { user: { id: ada, lastName: 'Lovelace' } },
    })
  })

  test('show says when there is no such event', async () => {
    await using end = await open()
    const { code, out, err } = await inbox('show', 'nobody', ...end.args)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^error: .* has no event nobody\.\n$/)
  })

  test('stats counts', async () => {
    await using end = await open()
    const { out } = await inbox('stats', ...end.args, '--json')
    expect(JSON.parse(out)).toMatchObject({
      events: 4,
      handlers: [
        { handler: 'crm', pending: 0, dead: 1 },
        { handler: 'mail', pending: 0, dead: 0 },
      ],
    })
    expect((await inbox('stats', ...end.args)).out).toMatch(/crm +0 +1/)
  })

  test('replay makes dead letters pending', async () => {
    await using end = await open()
    expect(await inbox('replay', ...end.args)).toMatchObject({ code: 2, out: '' })
    const { code, out } = await inbox('replay', ...end.args, '--state', 'dead', '--json')
    expect({ code, out: JSON.parse(out) }).toEqual({ code: 0, out: { deliveries: 1 } })
  })

  test('prune and erase ask first, and nobody is no yes', async () => {
    await using end = await open()
    for (const args of [
      ['prune', '--before', '2100-01-01'],
      ['erase', ada],
    ]) {
      const [verb = '', ...rest] = args
      const refused = await inbox(verb, ...rest, ...end.args)
      expect(refused).toMatchObject({ code: 2, out: '' })
      expect(refused.err).toContain('--yes')
    }
    expect(lines((await inbox('list', ...end.args, '--json')).out)).toHaveLength(4)
  })

  test('erase takes a person away, and says what it cannot reach', async () => {
    await using end = await open()
    const { code, out } = await inbox('erase', ada, ...end.args, '--yes')
    expect(code).toBe(0)
    expect(out).toMatch(/^2 events erased; 0 deliveries /)
    expect(out).toContain('backups')
    expect((await inbox('show', ids.dead, ...end.args)).code).toBe(1)
  })

  test('prune takes away what has ended', async () => {
    await using end = await open()
    const { code, out } = await inbox('prune', '--before', '2100-01-01', ...end.args, '--yes', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ events: 3 })
  })

  test('export gives every event with its bytes, to a file for its owner alone', async () => {
    await using end = await open()
    const to = join(folder, `${crypto.randomUUID()}.jsonl`)
    expect(await inbox('export', ...end.args, '--to', to)).toMatchObject({ code: 0, err: '' })
    expect(statSync(to).mode & 0o777).toBe(0o600)
    const exported = lines(readFileSync(to, 'utf8'))
    expect(exported).toHaveLength(4)
    expect(JSON.parse(String(exported[2]?.['body']))).toMatchObject({
      event: { id: ids.hostile, user: { fullName: hostile } },
    })
    expect(await inbox('export', ...end.args, '--to', to)).toMatchObject({ code: 2, out: '' })
    expect(existsSync(`${to}.part`)).toBe(false)

    const [laid, precious] = [`${to}.laid`, `${to}.precious`]
    writeFileSync(precious, 'precious')
    symlinkSync(precious, `${laid}.part`)
    expect(await inbox('export', ...end.args, '--to', laid)).toMatchObject({ code: 2, out: '' })
    expect(readFileSync(precious, 'utf8')).toBe('precious')
    expect(existsSync(laid)).toBe(false)

    const { out, err } = await inbox('export', ...end.args, '--type', 'user.create')
    expect(lines(out)).toHaveLength(1)
    expect(err).toBe('1 event\n')
  })

  test('nothing that an event or an error says reaches the terminal', async () => {
    await using end = await open()
    for (const args of [
      ['list'],
      ['show', ids.hostile, '--reveal'],
      ['show', ids.hostile],
      ['show', ids.dead],
      ['show', ids.refused],
      ['show', hostile],
      ['list', '--type', hostile],
      ['stats'],
      ['export'],
    ]) {
      for (const json of [[], ['--json']]) {
        const { out, err } = await inbox(args[0] ?? '', ...args.slice(1), ...end.args, ...json)
        expect(harmless(out + err), args.join(' ')).toBe(true)
        if (json.length === 0 && args[0] !== 'export') {
          for (const line of out.split('\n')) expect(line.length).toBeLessThan(2000)
        }
      }
    }
  })
})

test.skipIf(!hasTerminal)('in a terminal, prune waits for a yes (needs util-linux)', async () => {
  const args = ['inbox', 'prune', '--before', '2100-01-01', '--inbox', `sqlite:${copy()}`]
  const no = startInTerminal(args)
  await no.says('[y/N]')
  no.child.stdin?.write('n\n')
  expect((await no.ended).out).toContain('Nothing was done.')
  const yes = startInTerminal(args)
  await yes.says('[y/N]')
  yes.child.stdin?.write('y\n')
  const { code, out } = await yes.ended
  expect(code).toBe(0)
  expect(stripVTControlCharacters(out)).toContain('3 events of')
})

test('works beside a receiver that has the inbox open', async () => {
  const file = copy()
  const webhook = receiver(file)
  await webhook.start()
  const { code } = await inbox('replay', '--state', 'dead', '--inbox', `sqlite:${file}`)
  expect(code).toBe(0)
  await expect
    .poll(async () => (await webhook.inbox.stats()).handlers[0])
    .toMatchObject({ handler: 'crm', pending: 0, dead: 1 })
  await webhook.stop()
})

test('an event nested half a million levels deep is counted, listed and exported, and show says so', async () => {
  const file = copy()
  const webhook = receiver(file)
  const deep = `{"event":{"type":"user.create.complete","id":"deep","createInstant":${Date.now()},"user":{"id":"u"},"x":${'['.repeat(500_000)}${']'.repeat(500_000)}}}`
  const headers = { 'content-type': 'application/json', authorization: 'the key of these tests' }
  expect(
    (await webhook.fetch(new Request('http://localhost/', { method: 'POST', headers, body: deep }))).status,
  ).toBe(200)
  await webhook.stop()
  const at = ['--inbox', `sqlite:${file}`]
  expect(lines((await inbox('list', ...at, '--json')).out)).toHaveLength(5)
  const shown = await inbox('show', 'deep', '--reveal', ...at)
  expect(shown).toMatchObject({ code: 1, out: '' })
  expect(shown.err).toContain('nested too deep')
  expect((await inbox('show', 'deep', ...at)).code).toBe(0)
  expect((await inbox('export', ...at)).out).toContain('[[[[')
})

test('erase takes events that name a person by a login id alone, where it works on the inbox itself', async () => {
  const file = copy()
  const webhook = receiver(file)
  const event = { ...sample('user.identity.verified', { loginId: 'ada@old.example' }), user: undefined }
  const body = JSON.stringify({ event: { ...event, linkedObjectId: undefined } })
  const headers = { 'content-type': 'application/json', authorization: key }
  expect(
    (await webhook.fetch(new Request('http://localhost/', { method: 'POST', headers, body }))).status,
  ).toBe(200)
  await webhook.stop()
  const args = [ada, '--yes', '--login-id', 'ada@old.example', '--inbox', `sqlite:${file}`]
  const { code, out } = await inbox('erase', ...args)
  expect(code).toBe(0)
  expect(out).toMatch(/^3 events erased/)

  await using server = await remote()
  const refused = await inbox('erase', ada, '--yes', '--login-id', 'x', ...server.args)
  expect(refused).toMatchObject({ code: 2, out: '' })
  expect(refused.err).toContain('--login-id works on the inbox itself')
})

describe('bad input gets one sentence, and makes nothing', () => {
  const nowhere = join(folder, 'nowhere.db')
  const other = join(folder, 'other.db')
  using database = new DatabaseSync(other)
  database.exec('create table todos (title text)')
  const text = join(folder, 'text.db')
  writeFileSync(text, 'this is no database, however long one looks at it'.repeat(100))

  test.each([
    [['list', '--inbox', `sqlite:${nowhere}`], 3, 'There is no inbox at'],
    [['list', '--inbox', `sqlite:${text}`], 3, 'is no SQLite database'],
    [['list', '--inbox', `sqlite:${other}`], 3, 'There is no inbox at'],
    [['list', '--inbox', 'mysql:x'], 2, '--inbox takes'],
    [['list', '--inbox', 'postgres:postgres://u:hunter2@h/db'], 2, 'not the secret itself'],
    [['list', '--inbox', 'postgres:env:DB'], 3, 'cannot be opened'],
    [['list', '--since', 'yesterday'], 2, 'Give a date'],
    [['list', '--state', 'lost'], 2, 'It is one of'],
    [['list', '--limit', '0'], 2, 'whole number'],
    [['list', '--state', 'dead', '--state', 'stale', '--inbox', `sqlite:${master}`], 2, 'cannot be combined'],
    [['prune', '--yes'], 2, '--before'],
    [['show'], 2, "missing required argument 'id'"],
    [['lost'], 2, "unknown command 'lost'"],
    [['list', '--server', 'http://127.0.0.1:4'], 2, '--server needs --token'],
    [['list', '--server', 'http://127.0.0.1:4', '--token', 'env:TOKEN'], 3, 'cannot be reached'],
    [['list', '--server', 'http://example.com', '--token', 'env:TOKEN'], 2, 'unencrypted'],
    [['list', '--server', 'http://u:hunter2@127.0.0.1:4', '--token', 'env:TOKEN'], 2, 'leave user'],
    [['list', '--server', 'http://127.0.0.1.nip.io', '--token', 'env:TOKEN'], 2, 'unencrypted'],
    [['list', '--server', 'http://127.0.0.1:4', '--token', 'env:LINES', '--debug'], 2, 'printable ASCII'],
    [
      ['list', '--server', 'http://127.0.0.1:4', '--inbox', 'sqlite:x', '--token', 'env:TOKEN'],
      2,
      'not both',
    ],
    [['replay', '--handler', 'nobody', '--inbox', `sqlite:${master}`], 2, 'knows no handler'],
    [['export', '--to', '/nowhere/x', '--inbox', `sqlite:${master}`], 2, 'cannot be made'],
  ] as const)('%j', async (args, code, words) => {
    const ended = await run(['inbox', ...args], {
      env: { ...env, DB: 'postgres://u:hunter2@127.0.0.1:4/d', LINES: 'hunter2\nhunter2' },
    })
    expect(ended).toMatchObject({ code, out: '' })
    expect(ended.err).toContain(words)
    expect(ended.err).not.toContain('hunter2')
    if (!args.join(' ').includes('--debug')) expect(ended.err.trimEnd().split('\n')).toHaveLength(1)
    expect(existsSync(nowhere)).toBe(false)
  })

  test.each([
    ['a page', 200, '<html>\u001b[2J', 'is no admin listener'],
    ['another place', 302, '', 'cannot be reached'],
  ] as const)('a server that answers %s', async (_, status, body, words) => {
    const other = createServer((_, response) => response.writeHead(status, { location: '/' }).end(body))
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo // A listening TCP server has one.
    const ended = await inbox('stats', '--server', `http://127.0.0.1:${port}`, '--token', 'env:READER')
    expect(ended).toMatchObject({ out: '', err: expect.stringContaining(words) })
    expect(harmless(ended.err)).toBe(true)
    other.close()
  })

  test('an answer without an end', async () => {
    const endless = createServer((_, response) => {
      const more = (): void => void (response.writable && response.write(' '.repeat(4_000_000), more))
      more()
    })
    endless.listen(0, '127.0.0.1')
    await once(endless, 'listening')
    const { port } = endless.address() as AddressInfo // A listening TCP server has one.
    const ended = await inbox('stats', '--server', `http://127.0.0.1:${port}`, '--token', 'env:READER')
    expect(ended).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringContaining('answers more than any inbox'),
    })
    endless.close()
  }, 30_000)

  test('a token that may only look, and one that is none', async () => {
    await using end = await remote()
    const server = ['--server', end.server.adminUrl ?? '']
    expect((await inbox('list', ...server, '--token', 'env:READER')).code).toBe(0)
    expect((await inbox('replay', '--state', 'dead', ...server, '--token', 'env:READER')).err).toContain(
      'may look, not change',
    )
    const unknown = await run(['inbox', 'list', ...server, '--token', '-'], {
      input: 'a-guess-of-a-token-of-some-length',
    })
    expect(unknown).toMatchObject({ code: 2, out: '' })
    expect(unknown.err).toContain('does not know this token')
    for (const verb of ['list', 'show nobody']) {
      const door = await run(
        ['inbox', ...verb.split(' '), '--server', end.server.url, '--token', 'env:READER'],
        { env },
      )
      expect(door).toMatchObject({ code: 2, out: '' })
      expect(door.err).toContain('is no admin listener')
    }
  })
})
