import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { good, key, userDelete } from '../support/door.ts'
import { keptLog } from '../support/log.ts'
import { answers, type OwnServer, ownServer } from './server.ts'

function webhookAt(url: string, schema = 'fusewire') {
  const log = keptLog()
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: postgres(url, { schema }), log })
  const send = async (authorization = key) => {
    const headers = { ...good, authorization }
    return (
      await webhook.fetch(new Request('http://localhost/', { method: 'POST', headers, body: userDelete() }))
    ).status
  }
  return { webhook, log, send }
}

describe('a start while PostgreSQL is away', () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await ownServer()
    await server.stop()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('waits, answers 503 to events and 401 to strangers, and delivers when the database is back', async () => {
    const { webhook, log, send } = webhookAt(server.url, 'away')
    const handled: string[] = []
    webhook.on('user.delete', { name: 'all', when: 'received' }, ({ event }) => handled.push(event.id))
    const starting = webhook.start()
    expect(await send('a guess')).toBe(401)
    expect(await send()).toBe(503)
    await expect.poll(() => log.text(), { timeout: 10_000 }).toContain('tried again')
    expect(log.text()).toContain('ECONNREFUSED')
    expect(log.text()).not.toContain('password@')
    await server.start()
    await starting
    expect(await send()).toBe(200)
    await expect.poll(() => handled, { timeout: 10_000 }).toHaveLength(1)
    await webhook.stop()
  }, 60_000)

  test('the first event after an outage is kept, though nobody asked meanwhile', async () => {
    if (!(await answers(server.url))) await server.start()
    const { webhook, log, send } = webhookAt(server.url, 'outage')
    await webhook.start()
    expect(await send()).toBe(200)
    await server.stop()
    expect(await send()).toBe(503)
    await expect.poll(() => log.text(), { timeout: 20_000 }).toContain('the inbox is down')
    await server.start()
    await expect.poll(() => log.text(), { timeout: 20_000 }).toContain('the inbox is back')
    expect(await send()).toBe(200)
    await webhook.stop()
  }, 90_000)

  test.each([
    ['a wrong password', 'postgres:wrong', 'postgres', '28P01'],
    ['a role that is missing', 'nobody:password', 'postgres', '28'],
    ['a database that is missing', 'postgres:password', 'nothing', '3D000'],
  ])('%s is told at once', async (_, login, database, code) => {
    if (!(await answers(server.url))) await server.start()
    const { webhook } = webhookAt(`postgres://${login}@127.0.0.1:${server.port}/${database}`)
    await expect(webhook.start()).rejects.toMatchObject({ code: expect.stringContaining(code) })
    await webhook.stop()
  })
})
