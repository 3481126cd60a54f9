import { appendFileSync, existsSync, readdirSync } from 'node:fs'
import { setInterval } from 'node:timers/promises'
import { postgres } from '../../src/engines/postgres/index.ts'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { serve } from '../../src/http/node.ts'
import { Denied, Permanent, RetryLater, signature, Webhook } from '../../src/index.ts'
import type { Usage } from './soak.ts'

/**
 * The receiver and worker of the soak. Its arguments: the engine, its file or database, the secret, the log of effects, how long an event is
 * kept in ms, and a sabotage. Asked by a message it says what it uses, or drains and stops.
 */
const [engine = '', place = '', secret = '', effectsFile = '', keptMs = '', sabotage] = process.argv.slice(2)
/** Of the mistake that the soak must see: every body is held for ever. */
const held: Uint8Array[] = []
const failed = new Set<string>()

const webhook = new Webhook({
  authenticate: signature({ secret }),
  inbox: engine === 'postgres' ? postgres(place) : sqlite(place, { allowVolatile: true }),
  log: { info() {}, warn() {}, error() {} },
})

webhook.gate('user.delete', ({ event }) => {
  if (event.user.data?.['keep'] === true) throw new Denied('This user stays.')
})

// Its effect is the proof that nothing acknowledged was lost.
webhook.on('*', { name: 'every', when: 'received' }, ({ event }) => {
  appendFileSync(effectsFile, `${event.id}\n`)
  if (sabotage === 'leak') held.push(new Uint8Array(100_000).fill(1))
})

webhook.on('user.update.complete', { name: 'failing' }, ({ event }) => {
  const chance = Number.parseInt(event.id.slice(0, 2), 16) // The same for every attempt of an event.
  if (chance < 3) throw new Permanent('It will never work.')
  if (failed.delete(event.id)) return
  if (chance < 13) {
    failed.add(event.id)
    throw chance < 8 ? new Error('It works the second time.') : new RetryLater({ afterMs: 1_000 })
  }
})

webhook.on(
  ['user.login.success', 'user.create.complete'],
  { name: 'waiting', when: 'received' },
  async () => {
    await new Promise((resolve) => setTimeout(resolve, 5))
  },
)

const { url } = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
process.on('message', (said) => {
  if (said === 'usage') process.send?.(usage())
  else void finish()
})
process.on('disconnect', () => process.exit())
const stopTending = new AbortController()
const tending = tend(stopTending.signal)
process.send?.(url)

/** What an admin and the retention do beside the load. */
async function tend(signal: AbortSignal): Promise<void> {
  for await (const _ of setInterval(2_000)) {
    if (signal.aborted) return
    for await (const { event } of webhook.inbox.find({ userId: 'user-7' })) if (event === undefined) break
    const { items } = await webhook.inbox.page({ state: 'succeeded' }, { limit: 20 })
    await webhook.inbox.stats()
    const [some] = items
    if (some !== undefined) await webhook.inbox.replay({ id: some.key.id, handler: 'waiting' })
    await webhook.inbox.prune({ before: new Date(Date.now() - Number(keptMs)), dead: true })
  }
}

function usage(): Usage {
  const { rss, heapUsed, external } = process.memoryUsage()
  const fds = '/proc/self/fd'
  return {
    'resident memory': rss,
    'heap used': heapUsed,
    'external memory': external,
    ...(existsSync(fds) && { 'open descriptors': readdirSync(fds).length }),
  }
}

async function finish(): Promise<void> {
  while ((await webhook.drain()).remaining > 0) await new Promise((resolve) => setTimeout(resolve, 500))
  stopTending.abort()
  await tending // It uses the inbox, which the stop closes.
  await webhook.stop()
  process.exit()
}
