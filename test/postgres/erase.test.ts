import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgres } from 'fusewire/postgres'
import { arrival } from '../../src/testing/arrival.ts'
import { createInbox } from '../../src/inbox/create-inbox.ts'
import { ada, erasesOn, fill, type Store, webhookOn } from '../inbox/erasing.ts'
import { anyServer, query, schema, type Server } from './server.ts'

let server: Server
beforeAll(async () => {
  server = await anyServer()
}, 120_000)
afterAll(() => server[Symbol.asyncDispose]())

erasesOn(async (): Promise<Store> => {
  const inbox = await schema(server)
  return {
    open: () => postgres(server.url, { schema: inbox.name }),
    async holding(texts) {
      const rows = await rowsOf(inbox.name)
      const samples = await samplesOf(inbox.name)
      const isClear = (text: string) => Object.values(ada).includes(text)
      return texts.filter((text) => isIn(rows, text) || (isClear(text) && isIn(samples, text)))
    },
    sample: async () => void (await query(server.url, 'analyze')),
    [Symbol.asyncDispose]: () => inbox[Symbol.asyncDispose](),
  }
})

test('samples of the person that a role may not take again are told of, and gone once its owner has', async () => {
  await using inbox = await schema(server)
  await using webhook = webhookOn(postgres(server.url, { schema: inbox.name }))
  await fill(webhook)
  await query(server.url, 'analyze')
  expect((await samplesOf(inbox.name)).join()).toContain(Buffer.from(ada.email).toString('hex'))
  const role = `node_${inbox.name}`
  await query(
    server.url,
    `
    create role ${role} login password 'a password of its own';
    grant usage on schema ${inbox.name} to ${role};
    grant select, insert, update, delete on all tables in schema ${inbox.name} to ${role};
    grant usage, select on all sequences in schema ${inbox.name} to ${role};
    `,
  )
  const url = new URL(server.url)
  url.username = role
  url.password = 'a password of its own'
  {
    await using node = postgres(url.href, { schema: inbox.name })
    expect(await createInbox(node).erase({ userId: ada.id })).toMatchObject({ bytes: 'pending' })
    await query(server.url, 'analyze')
    expect(await createInbox(node).erase({ userId: ada.id })).toMatchObject({
      events: 0,
      bytes: 'overwritten later',
    })
  }
  await query(server.url, `drop owned by ${role}; drop role ${role}`)
})

test('quarantined bytes that hold the user id go, in whatever case it is written', async () => {
  await using inbox = await schema(server)
  await using engine = postgres(server.url, { schema: inbox.name })
  const body = Buffer.from(`{"event":{"user":{"id":"${ada.id.toUpperCase()}"},"text":"\\\0\\"}}`)
  expect(await engine.append([arrival('1', { receivedAt: Number.NaN, body })])).toEqual(['quarantined'])
  expect(await createInbox(engine).erase({ userId: ada.id })).toMatchObject({ events: 1 })
})

function isIn(rows: readonly string[], text: string): boolean {
  const plain = text.toLowerCase().replaceAll('-', '')
  const bytes = Buffer.from(text).toString('hex')
  return rows
    .map((row) => row.toLowerCase().replaceAll('-', ''))
    .some((row) => row.includes(plain) || row.includes(bytes))
}

/** Every row of every table as text, bytes in hex. */
async function rowsOf(name: string): Promise<readonly string[]> {
  const tables = await query(server.url, `select tablename from pg_tables where schemaname = '${name}'`)
  const rows = []
  for (const { tablename } of tables) {
    rows.push(...(await query(server.url, `select t::text as row from ${name}."${String(tablename)}" t`)))
  }
  return rows.map(({ row }) => String(row))
}

/** The samples of values that PostgreSQL keeps for its planner. */
async function samplesOf(name: string): Promise<readonly string[]> {
  const rows = await query(
    server.url,
    `
    select tablename || '.' || attname || coalesce(most_common_vals::text, '') || coalesce(histogram_bounds::text, '') as row
    from pg_stats where schemaname = '${name}'
    `,
  )
  return rows.map(({ row }) => String(row))
}
