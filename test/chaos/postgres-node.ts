import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { apiKey, Webhook } from '../../src/index.ts'
import { postgres } from '../../src/engines/postgres/index.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import type { Engine } from '../../src/model/engine.ts'
import { apiKeyOfChaos } from './events.ts'
import { shortLeases } from './short-leases.ts'
import { tendUnderLoad } from './tend-under-load.ts'
import { workWithTrouble } from './troubles.ts'

/**
 * One process of the fleet, killed at any instant: its arguments are the database, what it does, the log of effects, for how many
 * milliseconds it leases deliveries, and a sabotage. Told `tend`, a worker replays, prunes and erases until it dies.
 */
const [database = '', role = '', effectsFile = '', leaseMs = '', sabotage] = process.argv.slice(2)

const inbox = shortLeases(postgres(database), Number(leaseMs))
const webhook = new Webhook({
  authenticate: apiKey(apiKeyOfChaos),
  inbox: sabotage === 'answer-early' ? answeringEarly(inbox) : inbox,
  log: { info() {}, warn() {}, error() {} },
})

process.on('disconnect', () => process.exit())
if (role === 'receiver') {
  const handle = toNodeHandler(webhook)
  const server = createServer((request, response) => void handle(request, response))
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo // A listening TCP server has one.
    process.send?.(`http://127.0.0.1:${port}/`)
  })
} else {
  webhook.on('user.update.complete', { name: 'atomic', atomic: true }, async ({ event, sql }) => {
    await sql.query('insert into effects (id) values ($1)', [event.id])
  })
  // Its effect is outside the inbox, so it may be repeated but never left out.
  webhook.on('user.update.complete', { name: 'plain' }, ({ event }) => {
    appendFileSync(effectsFile, `plain ${event.id}\n`)
  })
  webhook.on('user.update.complete', { name: 'troubled' }, async ({ event, attempt }) => {
    await workWithTrouble(event.id, event.user.data?.['trouble'], attempt)
    appendFileSync(effectsFile, `troubled ${event.id}\n`)
  })
  process.on('message', () => void tendUnderLoad(webhook.inbox))
  await start()
  process.send?.('working')
}

/** A server that is just being restarted may refuse the first time. */
async function start(): Promise<void> {
  for (;;) {
    try {
      await webhook.start()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** The mistake the chaos must catch: a 2xx that runs ahead of the commit. */
function answeringEarly<E extends Engine>(engine: E): E {
  return {
    ...engine,
    append: async (arrivals) => {
      setTimeout(() => void engine.append(arrivals).catch(() => {}), 5)
      return arrivals.map(() => 'stored')
    },
  }
}
