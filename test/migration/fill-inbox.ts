// Fills an inbox with one of everything, by the code in a folder, and is killed in the middle of an attempt.
// node fill-inbox.ts FOLDER sqlite:FILE | postgres:URL
import { pathToFileURL } from 'node:url'
import type * as Postgres from '../../src/engines/postgres/index.ts'
import type * as Sqlite from '../../src/engines/sqlite/index.ts'
import type * as Fusewire from '../../src/index.ts'
import type * as Testing from '../../src/testing/index.ts'
import { eventId, instantOf, key, users } from './filled.ts'

const [, , folder = '', inbox = ''] = process.argv
const load = (path: string): Promise<unknown> => import(pathToFileURL(`${folder}/src/${path}`).href)

const { apiKey, Denied, Permanent, Webhook } = (await load('index.ts')) as typeof Fusewire
const { request } = (await load('testing/index.ts')) as typeof Testing
const { sqlite } = (await load('engines/sqlite/index.ts')) as typeof Sqlite
const { postgres } = (await load('engines/postgres/index.ts')) as typeof Postgres

const place = inbox.slice(inbox.indexOf(':') + 1)
const engine = inbox.startsWith('sqlite:') ? sqlite(place) : postgres(place)
const quiet = { info() {}, warn() {}, error() {} }
const webhook = new Webhook({ authenticate: apiKey(key), inbox: engine, retention: 'none', log: quiet })
const attempting = Promise.withResolvers<void>()

webhook.gate('user.delete', () => {
  throw new Denied('so it was decided')
})
webhook.on('user.update.complete', { name: 'mailer' }, ({ event }) => {
  if (event.user.id === users.dead) throw stackless(new Permanent('never'))
  if (event.user.id === users.failing) throw stackless(new Error('not now'))
  if (event.user.id !== users.leased) return undefined
  attempting.resolve()
  return new Promise(() => setInterval(() => {}, 1_000))
})

/** A fixture names no folder of the machine that wrote it. */
function stackless(error: Error): Error {
  error.stack = `${error.name}: ${error.message}`
  return error
}

async function post(n: number, user: string, more: object = {}): Promise<void> {
  const event = {
    id: eventId(n),
    createInstant: instantOf(n),
    linkedObjectId: user,
    user: { id: user },
    ...more,
  }
  const { status } = await webhook.fetch(request('user.update.complete', event, { apiKey: key }))
  if (status !== 200) throw new Error(`event ${n} was answered ${status}`)
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50))
}

async function pending(): Promise<number> {
  const { handlers } = await webhook.inbox.stats()
  return handlers.reduce((sum, handler) => sum + handler.pending, 0)
}

await webhook.start()
// Pruned, then erased, of what has been handled.
await post(1, users.pruned)
await until(async () => (await pending()) === 0)
await webhook.inbox.prune({ before: new Date(Date.now() + 1_000) })
await post(2, users.erased)
await until(async () => (await pending()) === 0)
await webhook.inbox.erase({ userId: users.erased })
await post(3, users.handled)
// A dead letter and the next of its lane.
await post(4, users.dead)
await until(async () => (await pending()) === 0)
// A lane that fails, and what is parked behind.
await post(5, users.failing)
await post(6, users.failing)
await post(7, users.failing)
// Set aside: the same id with another body, an event older than what is remembered, and what no row can hold.
const conflicting = { id: eventId(3), createInstant: instantOf(3), linkedObjectId: users.handled }
await webhook.fetch(
  request(
    'user.update.complete',
    { ...conflicting, user: { id: users.handled, email: 'other@example.com' } },
    { apiKey: key },
  ),
)
await webhook.fetch(
  request('user.update.complete', { id: eventId(8), createInstant: 1_500_000_000_000 }, { apiKey: key }),
)
const poison = {
  key: { createInstant: instantOf(15), tenantId: '', id: 'poison' },
  type: 'x',
  source: 'door' as const,
  receivedAt: Number.NaN,
}
await engine.append([
  { ...poison, hash: Buffer.alloc(32, 1), body: Buffer.from('poison'), applicationIds: [], subjects: [] },
])
// Refused by the gate.
await webhook.fetch(
  request(
    'user.delete',
    { id: eventId(9), createInstant: instantOf(9), user: { id: users.refused } },
    { apiKey: key },
  ),
)
await until(
  async () =>
    (await pending()) === 3 && (await webhook.inbox.page({ errorText: 'not now' })).items.length > 0,
)
// Leased: its handler is running when the process is killed, and two are parked behind.
await post(10, users.leased)
await attempting.promise
await post(11, users.leased)
await post(12, users.leased)
await until(async () => (await webhook.inbox.page({ state: 'leased' })).items.length === 1)

// Kept by a receiver that delivers nothing: they are in the intake.
const receiver = new Webhook({
  authenticate: apiKey(key),
  inbox: inbox.startsWith('sqlite:') ? sqlite(place) : postgres(place),
  log: quiet,
})
receiver.on('user.create.complete', { name: 'later' }, () => {})
for (const n of [13, 14]) {
  await receiver.fetch(
    request(
      'user.create.complete',
      {
        id: eventId(n),
        createInstant: instantOf(n),
        linkedObjectId: users.pending,
        user: { id: users.pending },
      },
      { apiKey: key },
    ),
  )
}
process.kill(process.pid, 'SIGKILL')
