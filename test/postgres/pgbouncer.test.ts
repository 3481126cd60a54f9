import { randomUUID } from 'node:crypto'
import { apiKey, Webhook } from 'fusewire'
import { postgres, type PostgresOptions } from 'fusewire/postgres'
import { request } from 'fusewire/testing'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { statement } from '../../src/engines/postgres/sql.ts'
import { isInstalled, pgbouncer } from './pgbouncer.ts'
import { anyServer, schema, type Server } from './server.ts'

const key = 'a key for these tests only'

describe.each([
  ['session', {}],
  ['transaction', { prepare: false }],
] as const)('a fleet behind PgBouncer, which shares connections by %s', (mode, options) => {
  let server: Server
  let pooler: Server
  beforeAll(async () => {
    if (!isInstalled) return
    server = await anyServer()
    pooler = await pgbouncer(server, mode)
  })
  afterAll(async () => {
    await pooler?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  function node(inbox: string): Webhook<ReturnType<typeof postgres>> {
    const settings: PostgresOptions = { schema: inbox, ...options }
    return new Webhook({ authenticate: apiKey(key), inbox: postgres(pooler.url, settings) })
  }

  test('delivers on three nodes what two others received: all of it, in order, atomic handlers once', async ({
    skip,
  }) => {
    skip(!isInstalled, 'there is no pgbouncer on the path: apt-get install pgbouncer')
    await using inbox = await schema(server)
    await using nodes = new AsyncDisposableStack()
    const handled = new Map<string, string[]>()
    let written = 0
    const workers = [0, 1, 2].map(() => {
      const worker = nodes.use(node(inbox.name))
      worker.on('user.update.complete', { name: 'plain' }, ({ event }) => {
        handled.set(event.user.id, [...(handled.get(event.user.id) ?? []), event.id ?? ''])
      })
      worker.on('user.update.complete', { name: 'atomic', atomic: true }, async ({ sql }) => {
        await sql.query('select 1')
        written++
      })
      return worker
    })
    const receivers = [0, 1].map(() => nodes.use(node(inbox.name)))
    await Promise.all(workers.map((worker) => worker.start()))

    const users = Array.from({ length: 20 }, () => randomUUID())
    const sent = new Map<string, string[]>()
    await Promise.all(
      users.map(async (user) => {
        for (let n = 0; n < 10; n++) {
          const id = randomUUID()
          const event = { id, createInstant: 1_800_000_000_000, linkedObjectId: user, user: { id: user } }
          const answer = await receivers[n % 2]?.fetch(
            request('user.update.complete', event, { apiKey: key }),
          )
          expect(answer?.status).toBe(200)
          sent.set(user, [...(sent.get(user) ?? []), id])
        }
      }),
    )

    await vi.waitFor(() => expect(written).toBe(200), { timeout: 15_000 })
    await vi.waitFor(() => expect([...handled.values()].flat()).toHaveLength(200), { timeout: 15_000 })
    expect(handled).toEqual(new Map(sent))
  })
})

describe('without { prepare: false } behind PgBouncer 1.18, which shares connections by transaction', () => {
  let server: Server
  let pooler: Server
  beforeAll(async () => {
    if (!isInstalled) return
    server = await anyServer()
    pooler = await pgbouncer(server, 'transaction')
  })
  afterAll(async () => {
    await pooler?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  test('it is said what to do: while it works, in the log; in the next process, by the error of start()', async ({
    skip,
  }) => {
    skip(!isInstalled, 'there is no pgbouncer on the path: apt-get install pgbouncer')
    await using inbox = await schema(server)
    const told: string[] = []
    const log = {
      info() {},
      warn: (fields: object) => told.push(JSON.stringify(fields)),
      error: (fields: object) => told.push(JSON.stringify(fields)),
    }
    const settings = { schema: inbox.name }
    await using first = new Webhook({ authenticate: apiKey(key), inbox: postgres(pooler.url, settings), log })
    first.on('user.update.complete', () => {})
    await first.start()
    await vi.waitFor(
      async () => {
        // Several at once, so that they need several server connections.
        const post = () => first.fetch(request('user.update.complete', { id: randomUUID() }, { apiKey: key }))
        await Promise.all(Array.from({ length: 8 }, post))
        expect(told.filter((line) => line.includes('prepare: false'))).not.toEqual([])
      },
      { timeout: 10_000, interval: 50 },
    )

    // Whether the next process meets a statement of the first depends on the server connections it is given: sooner or later one does.
    await vi.waitFor(
      async () => {
        const nodes = Array.from({ length: 4 }, () => postgres(pooler.url, settings))
        const opened = await Promise.allSettled(nodes.map((node) => node.open()))
        await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
        const errors = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
        expect(errors).not.toEqual([])
        for (const error of errors) {
          expect(error).toMatchObject({
            code: 'FW_POOLER',
            message: expect.stringContaining('prepare: false'),
          })
        }
      },
      { timeout: 15_000 },
    )
  })
})

test('another text never runs under the name of a prepared statement that a server connection knows', async () => {
  await using server = await anyServer()
  const client = new Client(server.url)
  await client.connect()
  const connection = Object.assign(client, { release() {} })
  const older = statement<{ answer: string }>('"fusewire".append', `select 'older' as answer`)
  const newer = statement<{ answer: string }>('"fusewire".append', `select 'newer' as answer`)
  expect(await older(connection)).toEqual([{ answer: 'older' }])
  expect(await newer(connection)).toEqual([{ answer: 'newer' }])
  const { rows } = await client.query<{ name: string }>('select name from pg_prepared_statements')
  for (const { name } of rows) expect(name).toMatch(/^fw_append_[0-9a-f]{32}$/)
  await client.end()
})
