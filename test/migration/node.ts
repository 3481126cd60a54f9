// A node of a fleet, by the code in a folder: sends events to itself until its stdin says 'quiet', and delivers until it says 'stop'.
// node node.ts FOLDER URL SCHEMA NAME. Needs a table SCHEMA.seen (handler text, id text, what text, place serial).
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Pool } from 'pg'
import type * as Postgres from '../../src/engines/postgres/index.ts'
import type * as Fusewire from '../../src/index.ts'
import type * as Testing from '../../src/testing/index.ts'
import { key } from './filled.ts'

const [, , folder = '', url = '', schema = '', name = ''] = process.argv
const load = (path: string): Promise<unknown> => import(pathToFileURL(`${folder}/src/${path}`).href)

const { apiKey, Webhook } = (await load('index.ts')) as typeof Fusewire
const { request } = (await load('testing/index.ts')) as typeof Testing
const { postgres } = (await load('engines/postgres/index.ts')) as typeof Postgres

const pool = new Pool({ connectionString: url, max: 4 })
const errors: string[] = []
const log = {
  info() {},
  warn: (fields: object, message: string) => errors.push(`${message} ${JSON.stringify(fields)}`),
  error: (fields: object, message: string) => errors.push(`${message} ${JSON.stringify(fields)}`),
}
const webhook = new Webhook({
  authenticate: apiKey(key),
  inbox: postgres(url, { schema }),
  gateTimeoutMs: 15_000, // A busy machine is late, and that is no fault of a node's.
  log,
})

webhook.on('user.update.complete', { name: 'plain' }, async ({ event }) => {
  await pool.query(`insert into ${schema}.seen (handler, id, what) values ('plain', $1, 'began')`, [event.id])
  await sleep(2)
  await pool.query(`insert into ${schema}.seen (handler, id, what) values ('plain', $1, 'ended')`, [event.id])
})
webhook.on('user.update.complete', { name: 'atomic', atomic: true }, async ({ event, sql }) => {
  await sql.query(`insert into ${schema}.seen (handler, id, what) values ('atomic', $1, 'ended')`, [event.id])
})
await webhook.start()

let isQuiet = false
/** Ids in the order in which they were acknowledged, of each user. */
const acknowledged: Record<string, string[]> = {}

async function send(user: string): Promise<void> {
  const ids: string[] = (acknowledged[`${name} ${user}`] = [])
  while (!isQuiet) {
    const event = { id: randomUUID(), createInstant: Date.now(), linkedObjectId: user, user: { id: user } }
    const post = () => webhook.fetch(request('user.update.complete', event, { apiKey: key }))
    while ((await post()).status !== 200) await sleep(50)
    ids.push(event.id)
    process.stdout.write(`${JSON.stringify({ acknowledged: event.id })}\n`)
    await sleep(40)
  }
}

const sending = Promise.all(Array.from({ length: 6 }, () => send(randomUUID())))
for await (const line of createInterface(process.stdin)) {
  if (line === 'quiet') {
    isQuiet = true
    await sending
    process.stdout.write(`${JSON.stringify({ sent: Object.values(acknowledged), errors })}\n`)
  }
  if (line === 'stop') break
}
await webhook.stop()
await pool.end()
process.stdin.destroy()
