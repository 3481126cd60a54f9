import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Emulator } from 'fusewire/emulator'
import { clientOf } from '../emulator/client.ts'
import { harmless, run, start, type Running } from './command.ts'

// Inside the repository, so that handlers find the package as an application's would.
const folder = mkdtempSync(join(import.meta.dirname, '.dev-'))
afterAll(() => rmSync(folder, { recursive: true }))

function place(files: Readonly<Record<string, string>>): string {
  const cwd = mkdtempSync(join(folder, 'place-'))
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(cwd, name), content, { mode: 0o644 })
  return cwd
}

interface Story {
  readonly fusionauth: { readonly url: string; readonly apiKey: string }
  readonly url: string
  readonly adminUrl: string
  readonly adminToken: string
}

/** Of every process there is, where the system shows them. */
function commandLines(): readonly string[] {
  if (!existsSync('/proc/self/cmdline')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return [] // It has gone.
      }
    })
}

const free = ['--port', '0', '--fusionauth-port', '0']

async function storyOf(running: Running): Promise<Story> {
  await running.says('"fusionauth"')
  const line =
    running
      .out()
      .split('\n')
      .find((one) => one.startsWith('{"fusionauth"')) ?? ''
  return JSON.parse(line) as Story
}

const createUser = ({ url, apiKey }: Story['fusionauth'], email: string) =>
  clientOf({ url, apiKey } as Emulator).createUser('', { user: { email, password: 'a password' } })

const handlers = (word: string) => `import { appendFileSync } from 'node:fs'
  import type { Webhook } from 'fusewire'
  export default (webhook: Webhook) => {
    webhook.on('user.create.complete', ({ event }) => appendFileSync('said.txt', '${word} ' + event.user.email + '\\n'))
  }`

test('a user made in FusionAuth reaches the handlers, which are loaded again when they change', async () => {
  const cwd = place({ 'handlers.ts': handlers('hello') })
  const said = () => (existsSync(join(cwd, 'said.txt')) ? readFileSync(join(cwd, 'said.txt'), 'utf8') : '')
  const running = start(['dev', 'handlers.ts', '--port', '0', '--fusionauth-port', '0', '--json'], { cwd })
  const { fusionauth } = await storyOf(running)
  await createUser(fusionauth, 'ada@example.com')
  await expect.poll(said, { timeout: 10_000 }).toBe('hello ada@example.com\n')
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)
}, 30_000)

test('starts the receiver again when a source file changes, on the same port', async () => {
  const cwd = place({ 'handlers.ts': handlers('hello') })
  const port = String(20_000 + Math.floor(Math.random() * 20_000))
  const running = start(
    ['dev', 'handlers.ts', '--port', port, '--admin-port', '0', '--fusionauth-port', '0', '--json'],
    { cwd },
  )
  const { fusionauth } = await storyOf(running)
  writeFileSync(join(cwd, 'handlers.ts'), 'export default (', { mode: 0o644 })
  await running.says('The receiver ended. It is started again when a file changes.')
  writeFileSync(join(cwd, 'handlers.ts'), handlers('goodbye'), { mode: 0o644 })
  await running.says(/(ready for events[^]*){2}/)
  await createUser(fusionauth, 'bob@example.com')
  await expect
    .poll(() => existsSync(join(cwd, 'said.txt')) && readFileSync(join(cwd, 'said.txt'), 'utf8'), {
      timeout: 10_000,
    })
    .toBe('goodbye bob@example.com\n')
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(0)
}, 30_000)

test('tells its story in words, and of what happens', async () => {
  const running = start(['dev', ...free], { cwd: place({}) })
  const said = await running.says('inbox list')
  expect(said).toMatch(/Webhook +http:\/\/127\.0\.0\.1:\d+\/fusionauth-webhook/)
  const url = /FusionAuth +(http:\S+)/.exec(said)?.[1] ?? ''
  const apiKey = /emulated; Authorization: (\S+)/.exec(said)?.[1] ?? ''
  await createUser({ url, apiKey }, 'ada@example.com')
  await running.says(/200 kept +user\.create\.complete/)
  expect(harmless(running.out())).toBe(true)
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)
}, 30_000)

test('a webhook of the own file gets the key that was named', async () => {
  const cwd = place({
    'webhook.ts': `import { allOf, apiKey, signature, Webhook } from 'fusewire'
      const { WEBHOOK_KEY, FUSIONAUTH_JWKS = '', FUSIONAUTH_KID = '' } = process.env
      export const webhook = new Webhook({
        authenticate: allOf(apiKey(WEBHOOK_KEY), signature({ jwks: FUSIONAUTH_JWKS, kid: FUSIONAUTH_KID })),
        inbox: 'none',
      })`,
  })
  const running = start(['dev', 'webhook.ts', ...free, '--api-key', 'env:WEBHOOK_KEY', '--json'], {
    cwd,
    env: { WEBHOOK_KEY: 'the key of this very test' },
  })
  const { fusionauth, adminToken } = await storyOf(running)
  await createUser(fusionauth, 'ada@example.com')
  await running.says('"outcome":"handled"')
  const lines = commandLines()
  if (existsSync('/proc/self/cmdline')) expect(lines.join('\n')).toContain('webhook.ts')
  for (const secret of ['the key of this very test', adminToken, fusionauth.apiKey])
    expect(lines.join('\n')).not.toContain(secret)
  running.child.kill('SIGTERM')
  await running.ended
}, 30_000)

test.skipIf(!existsSync('/proc/self/cmdline'))(
  'leaves no receiver behind when it is killed (looks into /proc)',
  async () => {
    const cwd = place({ 'left-behind.ts': handlers('hello') })
    const running = start(['dev', 'left-behind.ts', ...free, '--json'], { cwd })
    await storyOf(running)
    expect(commandLines().join('\n')).toContain('serve left-behind.ts')
    running.child.kill('SIGKILL')
    await expect
      .poll(() => commandLines().join('\n'), { timeout: 10_000 })
      .not.toContain('serve left-behind.ts')
  },
  30_000,
)

test('every command it prints can be pasted, whatever the inbox is called', async () => {
  const cwd = place({ node: '#!/bin/sh\nprintf "%s\\n" "$@" > called.txt\n' })
  chmodSync(join(cwd, 'node'), 0o755)
  const inbox = "sqlite:$(touch pwned)`touch pwned`'; touch pwned; '.db"
  const env = { npm_command: 'run' } // Not by npx, whatever runs the tests.
  const running = start(['dev', ...free, '--inbox', inbox], { cwd, env })
  const said = await running.says('inbox list')
  const printed = said.split('\n').find((line) => line.startsWith('  node ')) ?? ''
  execFileSync('sh', ['-c', `PATH="$PWD:$PATH"; ${printed}`], { cwd })
  expect(readFileSync(join(cwd, 'called.txt'), 'utf8')).toMatch(/main\.js\n/)
  expect(readFileSync(join(cwd, 'called.txt'), 'utf8')).toContain(`\ninbox\nlist\n--inbox\n${inbox}\n`)
  expect(existsSync(join(cwd, 'pwned'))).toBe(false)
  running.child.kill('SIGTERM')
  await running.ended
}, 30_000)

test('notices sources in folders that are made later, and none in node_modules', async () => {
  const cwd = place({ 'server.mjs': "console.log('started'); setInterval(() => {}, 1000)" })
  mkdirSync(join(cwd, 'node_modules'))
  const running = start(['dev', '--fusionauth-port', '0', '--', process.execPath, 'server.mjs'], { cwd })
  await running.says('started')
  writeFileSync(join(cwd, 'node_modules', 'installed.js'), '')
  mkdirSync(join(cwd, 'lib'))
  await expect
    .poll(
      () => {
        writeFileSync(join(cwd, 'lib', 'new.ts'), '') // Until the new folder is watched.
        return running.out()
      },
      // Each write starts it again: on a busy machine it must have said that it started before the next.
      { timeout: 20_000, interval: 2_000 },
    )
    .toMatch(/started\nstarted/)
  expect(running.err()).toContain('new.ts changed: starting again')
  expect(running.err()).not.toContain('installed.js')
  running.child.kill('SIGTERM')
  await running.ended
}, 60_000)

test('a command after -- is told where FusionAuth is, and stops with dev', async () => {
  const cwd = place({
    'server.mjs': `const { FUSIONAUTH_URL, FUSIONAUTH_API_KEY, WEBHOOK_KEY } = process.env
      process.once('SIGTERM', () => { console.log('goodbye'); process.exit() })
      const response = await fetch(FUSIONAUTH_URL + '/api/tenant', { headers: { authorization: FUSIONAUTH_API_KEY } })
      console.log('tenants', response.status, WEBHOOK_KEY.length, process.pid)
      setInterval(() => {}, 1000)`,
  })
  const running = start(['dev', '--fusionauth-port', '0', '--', process.execPath, 'server.mjs'], { cwd })
  const said = await running.says(/tenants 200 64 \d+/)
  running.child.kill('SIGTERM')
  expect(await running.ended).toMatchObject({ code: 0, out: expect.stringContaining('goodbye') })
  expect(() => process.kill(Number(/(\d+)\s*$/.exec(said)?.[1]), 0)).toThrow(/ESRCH/)
}, 30_000)

test.each([
  [['dev', 'nowhere.ts', ...free], 2, 'nowhere.ts does not exist'],
  [['dev', 'one.ts', 'two.ts'], 2, 'one file of handlers'],
  [['dev', '--'], 2, 'no command after --'],
  [['dev', '--fusionauth-port', '0', '--', '/nowhere/program'], 1, 'The receiver ended (127)'],
  [['dev', '--kickstart', '/nowhere.json'], 2, '/nowhere.json does not exist'],
] as const)('%j', async (args, code, words) => {
  const ended = await run(args, { cwd: place({}) })
  expect(ended).toMatchObject({ code, out: '' })
  expect(ended.err).toContain(words)
})
