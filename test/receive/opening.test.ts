import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { memory } from 'fusewire/testing'
import { sqlite } from 'fusewire/sqlite'
import type { Engine } from '../../src/model/engine.ts'
import { place } from '../engines/places.ts'
import { good, key, userDelete } from '../support/door.ts'
import { keptLog, type KeptLog } from '../support/log.ts'

interface Away extends AsyncDisposable {
  /** Whether the inbox cannot be opened. */
  away: boolean
  readonly opens: number
  readonly log: KeptLog
  readonly webhook: Webhook
  /** The status of an event's answer, or of a stranger's. */
  send(authorization?: string): Promise<number>
}

/** A webhook whose inbox cannot be opened, for a cause that is temporary or not. */
function away(isTemporary: boolean): Away {
  const inbox = memory()
  let opens = 0
  const engine: Engine = {
    ...inbox,
    isTemporary: () => isTemporary,
    async open() {
      opens += 1
      if (state.away) throw Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })
      await inbox.open()
    },
  }
  const log = keptLog()
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: engine, log })
  const state: Away = {
    away: true,
    get opens() {
      return opens
    },
    log,
    webhook,
    async send(authorization = key) {
      const headers = { ...good, authorization }
      const sent = new Request('http://localhost/', { method: 'POST', headers, body: userDelete() })
      return (await webhook.fetch(sent)).status
    },
    [Symbol.asyncDispose]: () => webhook.stop(),
  }
  return state
}

test('before the inbox was ever open, events are answered 503 and strangers 401, and it is opened behind them', async () => {
  await using state = away(true)
  expect(await state.send()).toBe(503)
  expect(await state.send('a guess')).toBe(401)
  await expect.poll(() => state.opens, { timeout: 5_000 }).toBeGreaterThan(2)
  state.away = false
  await expect.poll(() => state.log.text(), { timeout: 5_000 }).toContain('the inbox is open')
  expect(await state.send()).toBe(200)
})

test.each([
  ['that passes by itself', true],
  ['that does not', false],
])(
  'for a cause %s, a thousand requests cost a line and an attempt a second or so',
  async (_, isTemporary) => {
    await using state = away(isTemporary)
    const began = performance.now()
    const statuses = new Set<number>()
    for (let sent = 0; sent < 500; sent++) {
      statuses.add(await state.send('a guess'))
      statuses.add(await state.send())
    }
    const seconds = (performance.now() - began) / 1000
    expect([...statuses].toSorted((a, b) => a - b)).toEqual([401, 503])
    expect(state.opens).toBeLessThanOrEqual(2 + 2 * seconds)
    expect(state.log.lines.length).toBeLessThanOrEqual(3 + 2 * seconds)
    const counted = state.log.lines.filter(({ fields }) => 'leftOut' in fields)
    await pause(1_050)
    await state.send()
    const last = state.log.lines.findLast(({ message }) => message === 'a request was not accepted')
    expect(last?.fields).toMatchObject({ leftOut: expect.any(Number), reason: 'the inbox is not open yet' })
    expect(counted.length).toBeLessThanOrEqual(1 + seconds)
  },
)

test('start waits for an inbox that is away, and then delivers what was kept', async () => {
  await using state = away(true)
  const handled: string[] = []
  state.webhook.on('user.delete', { name: 'all', when: 'received' }, ({ event }) => handled.push(event.id))
  let started = false
  const starting = state.webhook.start().then(() => (started = true))
  await expect.poll(() => state.opens, { timeout: 5_000 }).toBeGreaterThan(1)
  expect(started).toBe(false)
  expect(await state.send()).toBe(503)
  const errors = state.log.lines.filter(({ level }) => level === 'error')
  expect(errors).toMatchObject([
    {
      fields: { error: 'Error: connection refused', code: 'ECONNREFUSED' },
      message: expect.stringContaining('tried again'),
    },
  ])
  state.away = false
  await starting
  expect(await state.send()).toBe(200)
  await expect.poll(() => handled).toHaveLength(1)
})

test('start fails at once with withinMs: 0, after a while with another, and at once for what does not pass', async () => {
  await using temporary = away(true)
  await expect(temporary.webhook.start({ withinMs: 0 })).rejects.toThrow('connection refused')
  expect(temporary.opens).toBe(1)
  await expect(temporary.webhook.start({ withinMs: 600 })).rejects.toThrow('connection refused')
  expect(temporary.opens).toBeGreaterThan(1)
  const { opens } = temporary
  await pause(700)
  expect(temporary.opens, 'it goes on after it gave up').toBe(opens)
  await using permanent = away(false)
  await expect(permanent.webhook.start()).rejects.toThrow('connection refused')
  expect(permanent.opens).toBe(1)
})

test('stop ends a start that waits', async () => {
  const state = away(true)
  const starting = state.webhook.start()
  const rejected = expect(starting).rejects.toMatchObject({ code: 'FW_STOPPED' })
  await expect.poll(() => state.log.text()).toContain('tried again')
  await state.webhook.stop()
  await rejected
  const { opens } = state
  await pause(600)
  expect(state.opens).toBe(opens)
})

test('stop ends although the inbox never closes', async () => {
  const never: Engine = { ...memory(), [Symbol.asyncDispose]: () => new Promise<void>(() => {}) }
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: never, log: keptLog() })
  await webhook.start()
  const began = performance.now()
  await webhook.stop({ withinMs: 200 })
  expect(performance.now() - began).toBeLessThan(5_000)
})

test('start waits for a file that another process has locked', async () => {
  using at = place()
  await using maker = sqlite(at.file, { allowVolatile: true })
  await maker.open()
  using other = new DatabaseSync(at.file)
  other.exec('begin immediate')
  const log = keptLog()
  await using webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: sqlite(at.file, { allowVolatile: true }),
    log,
  })
  webhook.on('user.delete', { name: 'all', when: 'received' }, () => {})
  const starting = webhook.start()
  await expect.poll(() => log.text(), { timeout: 10_000 }).toContain('FW_INBOX_LOCKED')
  other.exec('rollback')
  await starting
})

test('start fails at once for a path that is wrong, and for a file that is no database', async () => {
  using at = place()
  const start = (file: string) =>
    new Webhook({
      authenticate: apiKey(key),
      inbox: sqlite(file, { allowVolatile: true }),
      log: keptLog(),
    }).start()
  await expect(start('/nowhere/at/all/inbox.db')).rejects.toThrow()
  await expect(start(import.meta.filename)).rejects.toThrow()
  await expect(start(dirname(at.file))).rejects.toThrow()
})

test('a process ends by itself although a request found its inbox away', async () => {
  const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url))
  const program = `
    import { apiKey, Webhook } from ${source('index.ts')}
    import { memory } from ${source('testing/index.ts')}
    const away = { ...memory(), open: () => Promise.reject(new Error('away')), isTemporary: () => true }
    const webhook = new Webhook({ authenticate: apiKey('${key}'), inbox: away })
    await webhook.fetch(new Request('http://localhost/', { method: 'POST' }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program])
  onTestFinished(() => void child.kill())
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
}, 20_000)
