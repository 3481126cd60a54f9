import { afterAll, beforeAll } from 'vitest'
import { postgres } from 'fusewire/postgres'
import { erasesOn, type Store } from '../inbox/erasing.ts'
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
      const held = (await rowsOf(inbox.name)).map((row) => row.toLowerCase().replaceAll('-', ''))
      return texts.filter((text) => {
        const plain = text.toLowerCase().replaceAll('-', '')
        const bytes = Buffer.from(text).toString('hex')
        return held.some((row) => row.includes(plain) || row.includes(bytes))
      })
    },
    [Symbol.asyncDispose]: () => inbox[Symbol.asyncDispose](),
  }
})

/** Every row of every table as text, bytes in hex, and the samples of values that PostgreSQL keeps for its planner. */
async function rowsOf(name: string): Promise<readonly string[]> {
  const tables = await query(server.url, `select tablename from pg_tables where schemaname = '${name}'`)
  const rows = []
  for (const { tablename } of tables) {
    rows.push(...(await query(server.url, `select t::text as row from ${name}."${String(tablename)}" t`)))
  }
  const samples = `select coalesce(most_common_vals::text, '') || coalesce(histogram_bounds::text, '') as row from pg_stats where schemaname = '${name}'`
  rows.push(...(await query(server.url, samples)))
  return rows.map(({ row }) => String(row))
}
