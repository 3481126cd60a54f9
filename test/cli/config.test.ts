import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { harmless, run } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A project of its own, with these files. */
function project(files: Readonly<Record<string, string>>): string {
  const cwd = mkdtempSync(join(folder, 'project-'))
  for (const [name, content] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    writeFileSync(join(cwd, name), content, { mode: 0o644 })
  }
  return cwd
}

async function rowsOf(cwd: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { code, out, err } = await run(['config', '--json', ...args], { cwd, env })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const rows = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; value?: string; from: string; variable: string })
  return new Map(rows.map((row) => [row.name, row]))
}

const withFile = ['--config', 'fusewire.config.ts']

test('flags go over the environment, that over the config file, that over the defaults', async () => {
  const cwd = project({
    'fusewire.config.ts': `const port: number = 4000
      export default { port, path: '/file', host: '127.0.0.1', kid: ['a', 'b'], jwks: 'https://auth.example.com/jwks.json' }`,
  })
  const rows = await rowsOf(cwd, [...withFile, '--path', '/flag'], {
    FUSEWIRE_PATH: '/env',
    FUSEWIRE_HOST: '::1',
  })
  expect(rows.get('path')).toMatchObject({ value: '/flag', from: 'flag' })
  expect(rows.get('host')).toMatchObject({ value: '::1', from: 'environment' })
  expect(rows.get('port')).toMatchObject({ value: '4000', from: 'config file' })
  expect(rows.get('kid')).toMatchObject({ value: 'a, b', from: 'config file', variable: 'FUSEWIRE_KID' })
  expect(rows.get('inbox')).toMatchObject({ value: 'sqlite:inbox.db', from: 'default' })
  expect(rows.get('bodyLimit')).toMatchObject({ value: '10 MiB', from: 'default' })
  expect(rows.get('adminToken')).toMatchObject({ from: 'unset' })
})

test('a variable of a flag that may be repeated holds several values, by commas or spaces', async () => {
  const rows = await rowsOf(project({}), [], {
    FUSEWIRE_KID: 'old,new',
    FUSEWIRE_ADMIN_NAME: ' fusewire:3001  fusewire.example:3001 ',
  })
  expect(rows.get('kid')).toMatchObject({ value: 'old, new', from: 'environment' })
  expect(rows.get('adminName')).toMatchObject({ value: 'fusewire:3001, fusewire.example:3001' })
})

test.each([
  ['true', 'true'],
  ['1', 'true'],
  ['false', 'false'],
  ['0', 'false'],
  ['', 'false'],
])('FUSEWIRE_ALLOW_VOLATILE=%s means %s', async (written, value) => {
  const rows = await rowsOf(project({}), [], { FUSEWIRE_ALLOW_VOLATILE: written })
  expect(rows.get('allowVolatile')).toMatchObject({ value, from: 'environment' })
})

test('a variable of a switch that says neither true nor false is refused', async () => {
  const env = { FUSEWIRE_ALLOW_VOLATILE: 'no' }
  const { code, err } = await run(['config'], { cwd: project({}), env })
  expect(code).toBe(2)
  expect(err).toContain('FUSEWIRE_ALLOW_VOLATILE must be true or false.')
})

test('the variables of other verbs are no strangers', async () => {
  const env = { FUSEWIRE_URL: 'http://127.0.0.1:3000/', FUSEWIRE_SERVER: 'x', FUSEWIRE_TOKEN: 'x' }
  expect((await run(['config'], { cwd: project({}), env })).err).toBe('')
})

test.each(['fusewire.config.ts', 'fusewire.config.mts', 'fusewire.config.js', 'fusewire.config.mjs'])(
  '%s is the config file of its folder',
  async (name) => {
    const { err } = await run(['config'], { cwd: project({ [name]: 'export default {}' }) })
    expect(err).toContain(`${name} was not run: it is code.`)
  },
)

test('says which variables only look like ours', async () => {
  const { err } = await run(['config'], { cwd: project({}), env: { FUSEWIRE_PROT: '1', FUSEWIRE_PORT: '1' } })
  expect(err).toBe('warning: FUSEWIRE_PROT is set, and is no setting.\n')
})

test('hides secrets, wherever they stand', async () => {
  const cwd = project({ 'fusewire.config.ts': "export default { password: 'hunter2-file', username: 'u' }" })
  const env = {
    FUSEWIRE_API_KEY: 'hunter2-env',
    FUSEWIRE_INBOX: 'postgres:postgres://user:hunter2-url@host/db?password=hunter2-query',
    KEY: 'hunter2-key',
  }
  const dsn = await run(['config'], { cwd, env: { FUSEWIRE_INBOX: 'postgres:host=h password=hunter2' } })
  expect(dsn.out).toContain('postgres:(hidden)')
  expect(dsn.out).not.toContain('hunter2')
  for (const args of [['config'], ['config', '--json'], ['config', '--debug']]) {
    const { out, err } = await run([...args, ...withFile, '--admin-token', 'env:KEY'], { cwd, env })
    expect(out).toContain('(hidden)')
    expect(out).toContain('env:KEY')
    expect(out + err).not.toContain('hunter2')
  }
})

test('a secret on the command line is refused, and not repeated', async () => {
  const { code, out, err } = await run(['config', '--api-key', 'hunter2-hunter2'], { cwd: project({}) })
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('--api-key takes env:NAME')
  expect(err).not.toContain('hunter2')
})

describe('a config file is code', () => {
  const bomb = "import { writeFileSync } from 'node:fs'; writeFileSync('pwned', ''); export default {}"

  test.each([
    'config',
    'events',
    'tail',
    'inbox list',
    'inbox stats',
    'verify /nowhere',
    'trigger user.create --to http://127.0.0.1:4/',
    'emulate --port x',
  ])('%s beside one does not run it', async (verb) => {
    const cwd = project({ 'fusewire.config.ts': bomb })
    await run(verb.split(' '), { cwd })
    expect(existsSync(join(cwd, 'pwned'))).toBe(false)
  })

  test('config says that there is one', async () => {
    const { err } = await run(['config'], { cwd: project({ 'fusewire.config.ts': bomb }) })
    expect(err).toBe(
      'fusewire.config.ts was not run: it is code. fusewire config --config fusewire.config.ts shows what it sets.\n',
    )
    const cwd = join(project({ 'fusewire.config.ts': bomb }), 'below')
    mkdirSync(cwd)
    expect((await run(['config'], { cwd })).err).toBe('')
  })

  test.each([0o664, 0o646, 0o666])('that others may write (%o) is not run', async (mode) => {
    const cwd = project({ 'fusewire.config.ts': bomb })
    chmodSync(join(cwd, 'fusewire.config.ts'), mode)
    const { code, err } = await run(['config', ...withFile], { cwd })
    expect(code).toBe(2)
    expect(err).toContain('chmod go-w')
    expect(existsSync(join(cwd, 'pwned'))).toBe(false)
  })

  test.skipIf(process.getuid?.() !== 0)('of another user is not run (needs root to make one)', async () => {
    const cwd = project({ 'fusewire.config.ts': bomb })
    chownSync(join(cwd, 'fusewire.config.ts'), 12_345, 12_345)
    const { code, err } = await run(['config', ...withFile], { cwd })
    expect(code).toBe(2)
    expect(err).toContain('belongs to another user')
    expect(existsSync(join(cwd, 'pwned'))).toBe(false)
  })
})

describe('bad input gets one sentence', () => {
  test.each([
    ['export default { prot: 1 }', 'sets prot, which is no setting'],
    ['export default { port: "many" }', 'port is wrong. Give a whole number'],
    ['export default { port: {} }', 'port must be a text or a number'],
    ['export default { allowVolatile: 1 }', 'allowVolatile must be true or false'],
    ['export const port = 1', 'must export its settings'],
    ['throw new Error("no\\u001b[2J")', 'cannot be run: no\\u{1b}[2J'],
    ['export default {', 'cannot be run'],
  ])('%s', async (content, words) => {
    const { code, out, err } = await run(['config', ...withFile], {
      cwd: project({ 'fusewire.config.ts': content }),
    })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(words)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(harmless(err)).toBe(true)
  })

  test.each([
    [['--config', '/nowhere.ts'], {}, '/nowhere.ts does not exist'],
    [['--port', 'x'], {}, '--port'],
    [[], { FUSEWIRE_PORT: 'x' }, "'FUSEWIRE_PORT'"],
  ] as const)('%j %j', async (args, env, words) => {
    const { code, out, err } = await run(['config', ...args], { cwd: project({}), env })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(words)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })
})
