import {
  allOf,
  anyOf,
  apiKey,
  basicAuth,
  check,
  Denied,
  type Engine,
  type Handler,
  Permanent,
  RetryLater,
  signature,
  unlisted,
  Webhook,
} from 'fusewire'
import { postgres, type PostgresSql } from 'fusewire/postgres'
import { sqlite } from 'fusewire/sqlite'
import { harness, request, sample } from 'fusewire/testing'
import { Client, Pool } from 'pg'

/* Compiled, never run: what people may write, and what tsc must refuse. */

const webhook = new Webhook({
  authenticate: allOf(
    apiKey(process.env['WEBHOOK_KEY']),
    signature({ jwks: 'https://auth.example.com/.well-known/jwks.json', kid: '_H07wVG1fV3l5ih74rNxIC3nevE' }),
  ),
  inbox: sqlite('inbox.db'),
})
const pg = new Webhook({
  authenticate: anyOf(
    apiKey([process.env['A'], process.env['B']], { header: 'x-key' }),
    basicAuth({ username: 'a', password: () => process.env['P'] }),
  ),
  inbox: postgres(process.env['DATABASE_URL']),
})
const bare = new Webhook({ authenticate: apiKey('API-KEY'), inbox: 'none' })
void new Webhook({ authenticate: 'none', inbox: 'none' })
void new Webhook({
  authenticate: check('mtls', ({ peerCertificate }) => peerCertificate?.fingerprint256 === 'AB'),
  inbox: 'none',
})

// ── gate
webhook.gate('user.create', ({ event }) => {
  if (event.user.email?.endsWith('@spam.example')) throw new Denied('address not allowed')
})
webhook.gate(['user.create', 'user.delete'], { timeoutMs: 800, onFailure: 'allow' }, ({ event, signal }) => {
  const type: 'user.create' | 'user.delete' = event.type
  void [type, event.user.id, signal]
})
declare const todos: {
  deleteAll(userId: string, options: { signal: AbortSignal }): Promise<{ readonly deleted: number }>
  has(userId: string): Promise<boolean>
}
webhook.gate('user.delete', ({ event, signal }) => todos.deleteAll(event.user.id, { signal }))
webhook.gate('user.delete', { timeoutMs: 1 }, async ({ event, signal }) => {
  await todos.deleteAll(event.user.id, { signal })
})
webhook.gate('user.delete', ({ event }) => JSON.parse(event.user.id))
webhook.gate('user.delete', ({ event }): unknown => event.user.id)
webhook.gate('user.delete', () => fetch('https://crm.example.com/may-delete'))
webhook.gate('user.delete', () => {
  throw new Denied('never')
})
// @ts-expect-error false is not a no
webhook.gate('user.create', ({ event }) => event.user.email !== undefined)
// @ts-expect-error nor is it by a promise
webhook.gate('user.delete', ({ event }) => todos.has(event.user.id))
// @ts-expect-error nor on one way out
webhook.gate('user.delete', { timeoutMs: 1 }, async ({ event }) => {
  if (event.user.id === 'ada') return false
  return
})
// @ts-expect-error a .complete event cannot be refused
webhook.gate('user.delete.complete', () => {})
// @ts-expect-error typo
webhook.gate('user.deleted', () => {})

// ── on
webhook.on('user.delete.complete', ({ event, attempt, signal, idempotencyKey }) => {
  const id: string = event.user.id
  void [id, attempt, signal, idempotencyKey]
})
webhook.on(
  'user.delete.complete',
  { name: 'crm', maxAttempts: 3, ordering: 'none', where: ({ user }) => user.email !== undefined },
  ({ event, isLastAttempt }) => {
    if (isLastAttempt) throw new Permanent(event.user.id)
    throw new RetryLater({ afterMs: 60_000 })
  },
)
webhook.on('user.delete', { when: 'committed' }, ({ event }) => void event.user.id)
// @ts-expect-error a transactional type must say when
webhook.on('user.delete', ({ event }) => void event)
// @ts-expect-error a transactional type must say when
webhook.on('user.delete', { name: 'x' }, () => {})
// @ts-expect-error nothing to choose for a .complete type
webhook.on('user.delete.complete', { when: 'committed' }, () => {})
// @ts-expect-error several types need a name
webhook.on(['user.create.complete', 'user.delete.complete'], {}, () => {})
webhook.on(['user.create.complete', 'user.delete.complete'], { name: 'mirror' }, ({ event }) => {
  const type: 'user.create.complete' | 'user.delete.complete' = event.type
  void type
})
webhook.on(['user.delete.complete', 'group.create'], { name: 'two', when: 'received' }, ({ event }) => {
  void (event.type === 'group.create' ? event.group.name : event.user.id)
})
webhook.on('*', { name: 'audit', when: 'received' }, ({ event }) => {
  if (event.type === 'user.create') void event.user.id
  else if (event.type === 'group.create') void event.group.name
  else void (event.type satisfies string)
})
webhook.on(unlisted('user.something.new'), { name: 'new', when: 'received' }, ({ event }) => {
  const field: unknown = event['x']
  void field
})
// @ts-expect-error typo
webhook.on('user.deleted', { name: 'x', when: 'received' }, () => {})

// ── atomic: the engine's own handle
webhook.on('user.delete.complete', { atomic: true }, ({ event, sql }) => {
  sql.prepare('insert into audit values (?)').run(event.user.id)
})
webhook.on('user.delete.complete', { atomic: true }, ({ event, sql }) => sql.prepare('x').run(event.id))
pg.on('user.delete.complete', { atomic: true }, async ({ event, sql }) => {
  await sql.query('insert into audit values ($1)', [event.user.id])
})
pg.on('user.update.complete', { atomic: true }, ({ event, sql }) =>
  sql.query('insert into audit values ($1)', [event.user.id]),
)
// @ts-expect-error PostgreSQL's transaction is asked by query
pg.on('user.create.complete', { atomic: true }, ({ sql }) => sql.prepare('x'))
// @ts-expect-error no sql without atomic
webhook.on('user.delete.complete', {}, ({ sql }) => void sql)
// @ts-expect-error SQLite's transaction cannot stay open across an await
webhook.on('user.delete.complete', { atomic: true }, async ({ event, sql }) => {
  sql.prepare('x').run(event.user.id)
})

// ── inbox: 'none'
bare.on('user.delete.complete', ({ event }) => void event.user.id)
// @ts-expect-error nothing is kept: no retries to count
bare.on('user.delete.complete', { maxAttempts: 3 }, () => {})
// @ts-expect-error nothing is kept: nothing can be held until committed
bare.on('user.delete', { when: 'committed' }, () => {})
// @ts-expect-error no inbox, no sql
bare.on('user.delete.complete', { atomic: true }, () => {})

// ── construction
// @ts-expect-error inbox must be decided
void new Webhook({ authenticate: apiKey('x') })
// @ts-expect-error authenticate must be decided
void new Webhook({ inbox: 'none' })
// @ts-expect-error which of its keys may speak?
signature({ jwks: 'https://auth.example.com/.well-known/jwks.json' })
// @ts-expect-error allOf of one
allOf(apiKey('x'))
// @ts-expect-error a check answers true or false
check('x', () => {})

// ── engines
postgres(() => process.env['DATABASE_URL'])
postgres(async () => 'postgres://localhost', { schema: 'inbox' })
postgres(new Pool({ max: 20 }))
// @ts-expect-error no such option
postgres('postgres://localhost', { shema: 'inbox' })
// @ts-expect-error a connection is not a pool
postgres(new Client())
const store: Engine<PostgresSql> = postgres('postgres://localhost')
void store

const POST: (request: Request, context: { params: Promise<object> }) => Promise<Response> = webhook.fetch
void POST

// ── handlers and webhooks passed around
const welcome: Handler<'user.create.complete'> = ({ event }) => void event.user.email
webhook.on('user.create.complete', { name: 'welcome' }, welcome)
webhook.on('user.create.complete', welcome)
export function install(to: Webhook): void {
  to.on('user.create.complete', welcome)
  to.gate('user.create', () => {})
}
install(webhook)
install(pg)
// @ts-expect-error nothing is kept there
install(bare)
const either = (to: Webhook<Engine | 'none'>): unknown => to.on('user.create.complete', welcome)
either(bare)
either(webhook)

// ── testing
void sample('user.delete', { user: { id: 'u1' } }).user.id
// @ts-expect-error no such field
sample('user.delete', { usr: { id: 'u1' } })
// @ts-expect-error wrong type
sample('user.delete', { user: { id: 1 } })
request('user.delete', { user: { id: 'u1' } }, { apiKey: 'k' })
harness(webhook)
harness(pg)
harness(bare)
