import { setTimeout } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { Permanent } from 'fusewire'
import { sample } from 'fusewire/testing'
import { raw, statuses } from '../support/raw.ts'
import { operator, reader, type Rig, rig } from './rig.ts'

const api = '/fusewire/api'

/** A server that has handled one event and given up another. */
async function used(): Promise<Rig> {
  const server = await rig((webhook) => {
    webhook.on('user.create.complete', { name: 'welcome' }, () => {})
    webhook.on('user.delete.complete', { name: 'crm' }, () => {
      throw new Permanent('the CRM said no')
    })
  })
  expect(await server.send(created)).toBe(200)
  expect(await server.send(deleted)).toBe(200)
  await expect.poll(async () => (await server.webhook.drain()).remaining).toBe(0)
  return server
}

const created = sample('user.create.complete', {
  id: '11111111-1111-4111-8111-111111111111',
  createInstant: Date.now(),
  user: { email: 'ada@people.example', data: { id: '99999999-9999-4999-8999-999999999999' } },
})
const deleted = sample('user.delete.complete', {
  id: '22222222-2222-4222-8222-222222222222',
  createInstant: Date.now(),
})

async function json(server: Rig, target: string, asking: Parameters<Rig['ask']>[1] = {}): Promise<Listed> {
  const { status, text } = await server.ask(`${api}${target}`, asking)
  expect([status, text]).toEqual([200, expect.any(String)])
  return JSON.parse(text)
}

interface Listed {
  readonly items: readonly Readonly<Record<string, unknown>>[]
  readonly next?: string
  readonly [name: string]: unknown
}

function post(body: object, more: object = {}) {
  return { method: 'POST', body: JSON.stringify(body), ...more }
}

describe('looking', () => {
  test('lists events by what is asked for, a page at a time', async () => {
    await using server = await used()
    const all = await json(server, '/events')
    expect(all.items.map(({ type }) => type)).toEqual(['user.delete.complete', 'user.create.complete'])
    const [first] = (await json(server, '/events?type=user.create.complete&state=succeeded')).items
    expect(first).toMatchObject({
      id: created.id,
      tenantId: created.tenantId,
      source: 'door',
      deliveries: [{ handler: 'welcome', state: 'succeeded', attempts: 1 }],
    })
    const page = await json(server, '/events?limit=1&order=oldest')
    expect(page.items.map(({ id }) => id)).toEqual([created.id])
    const rest = await json(
      server,
      `/events?limit=1&order=oldest&after=${encodeURIComponent(String(page.next))}`,
    )
    expect(rest.items.map(({ id }) => id)).toEqual([deleted.id])
  })

  test('lists deliveries and dead letters with what failed', async () => {
    await using server = await used()
    expect((await json(server, '/deliveries')).items.map(({ handler }) => handler)).toEqual([
      'crm',
      'welcome',
    ])
    const { items } = await json(server, '/dead-letters')
    expect(items).toMatchObject([{ id: deleted.id, handler: 'crm', state: 'dead', reason: 'permanent' }])
    expect(JSON.stringify(items)).toContain('the CRM said no')
  })

  test('gives figures, nodes and receipts', async () => {
    await using server = await used()
    expect(await json(server, '/stats')).toMatchObject({ events: 2 })
    expect((await json(server, '/nodes')).items).toEqual(expect.any(Array))
    expect((await json(server, '/receipts')).items).toEqual(expect.any(Array))
  })

  test.each([
    ['/events?typ=user.create', 'typ'],
    ['/events?state=asleep', 'state'],
    ['/events?receivedAfter=yesterday-ish', 'receivedAfter'],
    ['/events?limit=0', 'limit'],
    ['/events?limit=many', 'limit'],
    ['/events?order=up', 'order'],
    ['/dead-letters?state=pending', 'state'],
    ['/receipts?type=user.create', 'type'],
  ])('says what is wrong with %s', async (target, name) => {
    await using server = await rig()
    const { status, text } = await server.ask(`${api}${target}`)
    expect(status).toBe(400)
    expect(text).toContain(name)
  })

  test.each([
    ['/events?typ=x', 'There is no "typ" here; there is type, tenantId,'],
    ['/events?__proto__=x', 'There is no "__proto__" here;'],
    ['/events?constructor=x', 'There is no "constructor" here;'],
    ['/events?userId=', 'userId must be a text that is not empty, given once.'],
    ['/events?userId=hunter2&userId=hunter2', 'userId must be a text that is not empty, given once.'],
    ['/events?type=user.create&type=', 'type must be a text that is not empty, or several.'],
    ['/events?state=hunter2', 'state must be one or several of pending, leased,'],
    ['/events?state=dead&state=hunter2', 'state must be one or several of pending, leased,'],
    ['/events?limit=hunter2', 'limit must be a whole number from 1 to 500.'],
    ['/events?limit=501', 'limit must be a whole number from 1 to 500.'],
    ['/events?limit=1.5', 'limit must be a whole number from 1 to 500.'],
    ['/events?order=hunter2', 'order must be newest or oldest.'],
    [
      '/events?receivedAfter=hunter2',
      'receivedAfter must be an instant: ms since 1970, or a date like 2026-01-31',
    ],
    ['/events?receivedAfter=8640000000000001', 'receivedAfter must be an instant: ms since 1970'],
    ['/events/x?tenantId=a&tenantId=b', 'tenantId must be a text that is not empty, given once.'],
    ['/stats?type=user.create', 'There is no "type" here; there is nothing to give.'],
    ['/stream?type=user.create', 'There is no "type" here; there is nothing to give.'],
  ])('%s is answered: %s', async (target, message) => {
    await using server = await rig()
    const { status, text } = await server.ask(`${api}${target}`)
    expect([status, JSON.parse(text).errors[0].code]).toEqual([400, '[badRequest]'])
    expect(JSON.parse(text).errors[0].message).toContain(message)
    expect(text).not.toContain('hunter2')
  })

  test.each([
    ['/prune', {}, 'before is missing. It says: Events received before this instant. In ms since 1970,'],
    ['/prune', { before: true }, 'before must be an instant: ms since 1970'],
    ['/prune', { before: 0, dead: 'hunter2' }, 'dead must be true or false.'],
    ['/erase', {}, 'userId is missing. It says: The user whose events are erased.'],
    ['/erase', { userId: { a: 'hunter2' } }, 'userId must be a text that is not empty, given once.'],
    ['/replay', { type: [] }, 'type must be a text that is not empty, or several.'],
    ['/replay', { type: ['a', 1] }, 'type must be a text that is not empty, or several.'],
    ['/replay', { state: 'dead', limit: 5 }, 'There is no "limit" here; there is type,'],
    ['/replay?state=dead', {}, 'There is no "state" here; there is nothing to give.'],
  ])('%s %j is answered: %s', async (target, body, message) => {
    await using server = await rig()
    const { status, text } = await server.ask(`${api}${target}`, post(body))
    expect([status, JSON.parse(text).errors[0].code]).toEqual([400, '[badRequest]'])
    expect(JSON.parse(text).errors[0].message).toContain(message)
    expect(text).not.toContain('hunter2')
    expect(server.log.lines.filter(({ fields }) => 'action' in fields)).toEqual([])
  })

  test('says that there is no such event, and no such route', async () => {
    await using server = await rig()
    for (const [target, code] of [
      [`${api}/events/nobody`, '[noEvent]'],
      [`${api}/nothing`, '[notFound]'],
      ['/fusewire', '[notFound]'],
      ['/', '[notFound]'],
    ] as const) {
      const { status, text } = await server.ask(target)
      expect(status).toBe(404)
      expect(JSON.parse(text).errors[0].code).toBe(code)
    }
  })
})

describe('masking', () => {
  test('an event is shown without what it says of a person', async () => {
    await using server = await used()
    const { text } = await server.ask(`${api}/events/${created.id}`, { token: reader })
    const { event } = JSON.parse(text)
    expect(event).toMatchObject({
      type: 'user.create.complete',
      id: created.id,
      createInstant: created.createInstant,
      user: { id: created.user.id, email: '•••', data: '•••', active: true },
    })
    for (const personal of ['ada@people.example', '99999999', created.user.firstName ?? 'no name']) {
      expect(text).not.toContain(personal)
    }
  })

  test('a field that nobody has thought of is hidden, whatever it is called', async () => {
    await using server = await rig()
    const nested = JSON.parse(`${'{"a":'.repeat(40)}"deep"${'}'.repeat(40)}`)
    const body = {
      type: 'made.up',
      id: created.id,
      createInstant: Date.now(),
      phone: 5551234,
      note: ['Ada'],
      nested,
    }
    const raw = JSON.stringify({ event: body }).replace('"phone"', '"__proto__":{"polluted":"Ada"},"phone"')
    const response = await fetch(server.server.url, {
      method: 'POST',
      headers: { authorization: 'the key of these tests', 'content-type': 'application/json' },
      body: raw,
    })
    expect(response.status).toBe(200)
    const { text } = await server.ask(`${api}/events/${created.id}`)
    for (const said of ['5551234', 'Ada', 'deep']) expect(text).not.toContain(said)
    expect(text).toContain('"__proto__":{"polluted":"•••"}')
    expect('polluted' in {}).toBe(false)
  })

  test('its bytes are revealed by POST, to an operator, as a download, with a line in the log', async () => {
    await using server = await used()
    const target = `${api}/events/${created.id}/reveal`
    expect((await server.ask(target)).status).toBe(404)
    expect((await server.ask(target, post({}, { token: reader }))).status).toBe(403)
    const { status, text, headers } = await server.ask(target, post({}))
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual({ event: created })
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('content-disposition')).toContain('attachment')
    const told = server.log.lines.filter(({ fields }) => 'action' in fields)
    expect(told.map(({ fields }) => fields)).toEqual([
      { action: 'reveal', token: 'acts', type: 'user.create.complete', id: created.id },
    ])
    expect(server.log.text()).not.toContain('ada@people.example')
  })
})

describe('changing', () => {
  test('replays what is asked for', async () => {
    let runs = 0
    await using server = await rig((webhook) => {
      webhook.on('user.create.complete', { name: 'welcome' }, () => void runs++)
    })
    await server.send(created)
    await expect.poll(() => runs).toBe(1)
    await expect.poll(async () => (await server.webhook.drain()).remaining).toBe(0)
    expect(await json(server, '/replay', post({ id: created.id }))).toEqual({ deliveries: 1 })
    await expect.poll(() => runs).toBe(2)
  })

  test('a selection that is no selection replays nothing', async () => {
    await using server = await used()
    for (const body of [{}, { typ: 'user.create' }, { userID: 'x' }, { state: 'all' }]) {
      expect((await server.ask(`${api}/replay`, post(body))).status).toBe(400)
    }
    const kinds = [undefined, '[]', '"x"', '{']
    for (const body of kinds) {
      const asking = { method: 'POST', headers: { 'content-type': 'application/json' } }
      expect(
        (await server.ask(`${api}/replay`, { ...asking, ...(body !== undefined && { body }) })).status,
      ).toBe(400)
    }
  })

  test('erases a person without telling the log who it was', async () => {
    await using server = await used()
    const userId = created.user.id ?? ''
    expect(await json(server, '/erase', post({ userId }))).toMatchObject({ unreached: expect.any(Array) })
    const revealed = await server.ask(`${api}/events/${created.id}/reveal`, post({}))
    expect([404, 410]).toContain(revealed.status) // By engine: whether its key can still be asked for.
    expect(server.log.text()).toContain('"action":"erase","token":"acts"')
    expect(server.log.text()).not.toContain(userId)
  })

  test('prunes up to an instant, and wants to be told which', async () => {
    await using server = await used()
    expect((await server.ask(`${api}/prune`, post({}))).status).toBe(400)
    const before = new Date(Date.now() + 60_000).toISOString()
    expect(await json(server, '/prune', post({ before }))).toEqual({ events: 1 })
    expect((await json(server, '/dead-letters')).items).toHaveLength(1)
  })

  test('an instant that no calendar has is a mistake of who asks, not of the inbox', async () => {
    await using server = await used()
    for (const before of [1e308, -8.64e15 - 1]) {
      expect((await server.ask(`${api}/prune`, post({ before }))).status).toBe(400)
    }
    expect(server.log.text()).not.toContain('could not answer')
  })

  test('reads a body that comes in chunks, up to its limit', async () => {
    await using server = await used()
    const chunked = (body: object) => ({ ...post(body), headers: { 'transfer-encoding': 'chunked' } })
    expect((await server.ask(`${api}/replay`, chunked({ state: 'dead' }))).text).toBe('{"deliveries":1}')
    expect((await server.ask(`${api}/replay`, chunked({ type: 'x'.repeat(65_536) }))).status).toBe(413)
    expect((await server.ask(`${api}/replay`, post({ type: 'x'.repeat(65_536) }))).status).toBe(413)
    expect(
      (await server.ask(`${api}/replay`, { method: 'POST', headers: { 'content-type': 'application/json' } }))
        .status,
    ).toBe(400)
  })

  test('tells a sender that waits to go on', async () => {
    await using server = await used()
    const { host, port } = new URL(server.server.adminUrl ?? '')
    await using waiting = await raw(Number(port))
    waiting.write(
      [
        `POST ${api}/replay HTTP/1.1`,
        `Host: ${host}`,
        `Authorization: Bearer ${operator}`,
        'Content-Type: application/json',
        'Content-Length: 16',
        'Expect: 100-continue',
        '',
        '',
      ].join('\r\n'),
    )
    await expect.poll(() => statuses(waiting.received())).toEqual([100])
    waiting.write('{"state":"dead"}')
    await expect.poll(() => statuses(waiting.received())).toEqual([100, 200])
  })

  test('an export that cannot begin says why', async () => {
    await using server = await used()
    const { status, text } = await server.ask(`${api}/export`, post({ state: ['dead', 'conflict'] }))
    expect(status).toBe(400)
    expect(JSON.parse(text).errors[0].code).toBe('[badRequest]')
  })

  test('an export that breaks off is no whole one, and the log is told why', async () => {
    await using server = await used()
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    vi.spyOn(server.webhook.inbox, 'export').mockImplementation(async function* () {
      for (const line of ['{}', '{}', '{}']) {
        yield line
        await setTimeout(20)
      }
      throw new Error('the disk is gone \u001b[2J')
    })
    await expect(server.ask(`${api}/export`, post({}))).rejects.toThrow()
    expect(server.log.text()).toContain('the disk is gone')
    expect(String(said.mock.calls)).not.toContain('the disk is gone')
    said.mockRestore()
  })

  test('exports events as lines', async () => {
    await using server = await used()
    const { status, text, headers } = await server.ask(
      `${api}/export`,
      post({ type: 'user.create.complete' }),
    )
    expect(status).toBe(200)
    expect(headers.get('content-disposition')).toContain('attachment')
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0].body)).toEqual({ event: created })
  })

  test.each(['/replay', '/prune', '/erase', '/export', `/events/${created.id}/reveal`])(
    '%s is closed to a token that may only look, to a form and to GET, and nothing is logged as done',
    async (target) => {
      await using server = await used()
      const body = JSON.stringify({
        type: 'user.create.complete',
        userId: created.user.id,
        before: Date.now(),
      })
      const statusOf = async (asking: object) => (await server.ask(`${api}${target}`, asking)).status
      expect(await statusOf(post({}, { body, token: reader }))).toBe(403)
      expect(await statusOf(post({}, { body, headers: { 'content-type': 'text/plain' } }))).toBe(415)
      expect(
        await statusOf({
          method: 'POST',
          body,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }),
      ).toBe(415)
      expect(await statusOf(post({}, { body, headers: { origin: 'https://evil.example' } }))).toBe(403)
      expect(await statusOf({})).toBe(404)
      expect(await statusOf(post({ note: 'x'.repeat(70_000) }))).toBe(413)
      expect((await json(server, '/events')).items).toHaveLength(2)
      expect(server.log.lines.filter(({ fields }) => 'action' in fields)).toEqual([])
    },
  )
})
