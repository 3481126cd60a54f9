import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { sample } from 'fusewire/testing'
import { raw } from '../support/raw.ts'
import { type Running, start } from './command.ts'

// Inside the repository, so that handlers find the package as an application's would.
const folder = mkdtempSync(join(import.meta.dirname, '.stop-'))
afterAll(() => rmSync(folder, { recursive: true }))

function place(files: Readonly<Record<string, string>>): string {
  const cwd = mkdtempSync(join(folder, 'place-'))
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(cwd, name), content, { mode: 0o644 })
  return cwd
}

const key = 'the key of this test'

/** It takes no notice of its signal, and its timer keeps the process alive for ten minutes. */
const ignoring = `export default (webhook) => {
  webhook.on('user.create.complete', () => {
    console.log('handling', process.pid)
    return new Promise((resolve) => setTimeout(resolve, 600_000))
  })
}`

async function send(url: string, headers: Record<string, string>): Promise<number> {
  const body = JSON.stringify({ event: sample('user.create.complete') })
  const all = { 'content-type': 'application/json', ...headers }
  return (await fetch(url, { method: 'POST', headers: all, body })).status
}

async function msUntilEnd({ child, ended }: Running, signal: NodeJS.Signals): Promise<number> {
  const began = performance.now()
  child.kill(signal)
  expect(await ended).toMatchObject({ code: 0 })
  return performance.now() - began
}

test('serve ends when its stop is through, though a handler ignores its signal and a request drips', async () => {
  const cwd = place({ 'handlers.mjs': ignoring })
  const args = [
    '--port',
    '0',
    '--host',
    '127.0.0.1',
    '--api-key',
    'env:KEY',
    '--allow-volatile',
    '--stop-within',
    '3000',
  ]
  const running = start(['serve', 'handlers.mjs', ...args], { cwd, env: { KEY: key } })
  await running.says('ready for events')
  const url = /http:[^"\s]+/.exec(running.out())?.[0] ?? ''
  expect(await send(url, { authorization: key })).toBe(200)
  await running.says('handling')
  await using slow = await raw(Number(new URL(url).port))
  slow.write(
    `POST /fusionauth-webhook HTTP/1.1\r\nHost: a\r\nAuthorization: ${key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`,
  )
  const drip = setInterval(() => slow.write(' '), 300)
  try {
    await pause(300)
    // 3 s, and room for a busy machine: without one deadline the request alone takes 10 s.
    expect(await msUntilEnd(running, 'SIGTERM')).toBeLessThan(8_000)
  } finally {
    clearInterval(drip)
  }
}, 60_000)

test('dev starts the new receiver though a handler hangs, and Ctrl+C leaves no process', async () => {
  const cwd = place({ 'handlers.mjs': ignoring })
  const running = start(['dev', 'handlers.mjs', '--port', '0', '--fusionauth-port', '0', '--json'], {
    cwd,
    env: { WEBHOOK_KEY: key },
  })
  await running.says('"fusionauth"')
  await handleOne(running)
  const first = pidsIn(running)
  expect(first).toHaveLength(1)
  writeFileSync(join(cwd, 'handlers.mjs'), `${ignoring}\nconsole.log('changed')`)
  await running.says(/changed\n/)
  await expect.poll(() => first.filter(isAlive), { timeout: 20_000 }).toEqual([])
  await expect
    .poll(() => running.out().split('ready for events').length, { timeout: 20_000 })
    .toBeGreaterThan(2)
  await expect.poll(() => pidsIn(running).length, { timeout: 20_000 }).toBe(2)
  await msUntilEnd(running, 'SIGINT')
  expect(pidsIn(running).filter(isAlive)).toEqual([])
}, 90_000)

test('dev ends all that a command started, by SIGKILL what takes no notice', async () => {
  const stubborn = `process.on('SIGTERM', () => {}).on('SIGINT', () => {}); console.log('started', process.pid); setInterval(() => {}, 1000)`
  const cwd = place({ 'stubborn.mjs': stubborn })
  const command = [`"${process.execPath}" stubborn.mjs & "${process.execPath}" stubborn.mjs; true`]
  const running = start(['dev', '--fusionauth-port', '0', '--', 'sh', '-c', ...command], { cwd })
  await expect.poll(() => startedIn(running).length, { timeout: 20_000 }).toBe(2)
  await msUntilEnd(running, 'SIGINT')
  expect(startedIn(running).filter(isAlive)).toEqual([])
}, 60_000)

test('a second Ctrl+C waits for nothing', async () => {
  const stubborn = `process.on('SIGTERM', () => {}); console.log('started', process.pid); setInterval(() => {}, 1000)`
  const cwd = place({ 'stubborn.mjs': stubborn })
  const running = start(['dev', '--fusionauth-port', '0', '--', process.execPath, 'stubborn.mjs'], { cwd })
  await expect.poll(() => startedIn(running).length, { timeout: 20_000 }).toBe(1)
  running.child.kill('SIGINT')
  await pause(500)
  expect(await msUntilEnd(running, 'SIGINT')).toBeLessThan(4_000) // A first one waits for 5 s.
  expect(startedIn(running).filter(isAlive)).toEqual([])
}, 60_000)

/** Makes the emulated FusionAuth send an event that is handled. */
async function handleOne(running: Running): Promise<void> {
  const line =
    running
      .out()
      .split('\n')
      .find((one) => one.startsWith('{"fusionauth"')) ?? '{}'
  const { fusionauth } = JSON.parse(line) as { fusionauth: { url: string; apiKey: string } }
  const before = pidsIn(running).length
  const email = `${crypto.randomUUID()}@example.com`
  const response = await fetch(`${fusionauth.url}/api/user`, {
    method: 'POST',
    headers: { authorization: fusionauth.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ user: { email, password: 'a password' } }),
  })
  expect(response.status).toBe(200)
  await expect
    .poll(() => running.out().split('handling').length - 1, { timeout: 20_000 })
    .toBeGreaterThan(before)
}

const pidsIn = (running: Running): readonly number[] => [
  ...new Set([...running.out().matchAll(/handling (\d+)/g)].map(([, pid]) => Number(pid))),
]
const startedIn = (running: Running): readonly number[] =>
  [...running.out().matchAll(/started (\d+)/g)].map(([, pid]) => Number(pid))

/** Not of one that has ended, though nobody has asked for its exit code yet. */
function isAlive(pid: number): boolean {
  try {
    if (existsSync('/proc/self/stat')) return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
