import { appendFileSync } from 'node:fs'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { serve } from '../../src/http/node.ts'
import { apiKey, Webhook } from '../../src/index.ts'
import type { Engine } from '../../src/model/engine.ts'
import { apiKeyOfChaos } from './events.ts'
import { shortLeases } from './short-leases.ts'
import { tendUnderLoad } from './tend-under-load.ts'
import { workWithTrouble } from './troubles.ts'

/**
 * A receiver and worker that is killed at any instant: its arguments are the inbox's file, the log of effects, its port, for how many
 * milliseconds it leases deliveries, and a sabotage. Told `tend` it replays, prunes and erases until it dies.
 */
const [inboxFile = '', effectsFile = '', port = '0', leaseMs = '', sabotage] = process.argv.slice(2)

const inbox = shortLeases(sqlite(inboxFile, { allowVolatile: true }), Number(leaseMs))
const webhook = new Webhook({
  authenticate: apiKey(apiKeyOfChaos),
  inbox: sabotage === 'answer-early' ? answeringEarly(inbox) : inbox,
  log: { info() {}, warn() {}, error() {} },
})

webhook.on('user.update.complete', { name: 'atomic', atomic: true }, ({ event, sql }) => {
  sql.exec('create table if not exists effects (id text not null)')
  sql.prepare('insert into effects (id) values (?)').run(event.id)
})

// Its effect is outside the inbox, so it may be repeated but never left out.
webhook.on('user.update.complete', { name: 'plain' }, ({ event }) => {
  appendFileSync(effectsFile, `plain ${event.id}\n`)
})

webhook.on('user.update.complete', { name: 'troubled' }, async ({ event, attempt }) => {
  await workWithTrouble(event.id, event.user.data?.['trouble'], attempt)
  appendFileSync(effectsFile, `troubled ${event.id}\n`)
})

webhook.gate('user.create', ({ event }) => {
  appendFileSync(effectsFile, `asked ${event.id}\n`)
})
webhook.on('user.create', { name: 'gated', when: 'received' }, ({ event }) => {
  appendFileSync(effectsFile, `gated ${event.id}\n`)
})

const { url } = await serve(webhook, { port: Number(port), hostname: '127.0.0.1' })
process.on('message', () => void tendUnderLoad(webhook.inbox))
process.on('disconnect', () => process.exit())
process.channel?.unref() // After SIGTERM it ends by itself.
process.send?.(url)

/** Long enough that more events are answered and not kept at a kill than are sent again after it. */
const aheadMs = 100

/** The mistake the chaos must catch: a 2xx that runs ahead of the commit. */
function answeringEarly<E extends Engine>(engine: E): E {
  return {
    ...engine,
    append: async (arrivals) => {
      setTimeout(() => void engine.append(arrivals).catch(() => {}), aheadMs)
      return arrivals.map(() => 'stored')
    },
  }
}
