import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminToken, startServer } from 'fusewire/server'
import { sample } from 'fusewire/testing'
import type { Webhook } from 'fusewire'
import { harmless, start } from './command.ts'
import { hostile, ids, fill, key, receiver } from './filled-inbox.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-tail-'))
const file = join(folder, 'inbox.db')
const token = 'a-token-that-may-do-everything-here'
let webhook: Webhook
let args: Record<'the inbox itself' | 'a running server', readonly string[]>
let stop = async () => {}

beforeAll(async () => {
  await fill(file)
  webhook = receiver(file)
  const server = await startServer({
    webhook,
    door: { port: 0, hostname: '127.0.0.1' },
    admin: { port: 0, tokens: [adminToken('acts', 'operate', token)] },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    signals: false,
  })
  stop = () => server.stop()
  args = {
    'the inbox itself': ['--inbox', `sqlite:${file}`],
    'a running server': ['--server', server.adminUrl ?? '', '--token', 'env:TOKEN'],
  }
})
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true })
})

async function send(event: object): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: key }
  const request = new Request('http://localhost/', {
    method: 'POST',
    headers,
    body: JSON.stringify({ event }),
  })
  await webhook.fetch(request)
}

describe.each(['the inbox itself', 'a running server'] as const)('through %s', (which) => {
  const tail = (...more: readonly string[]) =>
    start(['tail', ...args[which], ...more], { env: { TOKEN: token } })

  test('shows what comes from now on, and what becomes of it', async () => {
    const running = tail()
    await running.says('Following')
    const [well, dead] = [crypto.randomUUID(), crypto.randomUUID()]
    await expect
      .poll(async () => {
        // It may have looked before it said so, or not yet: an event after each look is seen for certain.
        await send(sample('user.create.complete'))
        return running.out()
      })
      .not.toBe('')
    await send(sample('user.create.complete', { id: well }))
    await send(sample('user.delete.complete', { id: dead }))
    await running.says(new RegExp(`succeeded +user\\.create\\.complete ${well}`))
    await running.says(new RegExp(`dead +user\\.delete\\.complete ${dead}`))
    expect(running.out()).not.toContain(ids.well)
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
  })

  test('filters, goes back, and gives programs JSON', async () => {
    const running = tail('--since', '1h', '--state', 'dead', '--json')
    await running.says(ids.dead)
    const [line = ''] = running.out().split('\n')
    expect(JSON.parse(line)).toMatchObject({ id: ids.dead, deliveries: [{ handler: 'crm', state: 'dead' }] })
    expect(running.out()).not.toContain(ids.well)
    running.child.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
  })

  test('nothing that an event says reaches the terminal', async () => {
    await send({ ...sample('user.create.complete'), type: hostile })
    const running = tail('--since', '1h')
    await running.says('???')
    expect(harmless(running.out() + running.err())).toBe(true)
    running.child.kill()
    await running.ended
  })
})

test('says when there is nothing to follow', async () => {
  const running = start(['tail', '--inbox', 'sqlite:/nowhere/inbox.db'])
  expect(await running.ended).toMatchObject({
    code: 3,
    out: '',
    err: expect.stringContaining('There is no inbox at'),
  })
})
