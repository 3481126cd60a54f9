import { open } from 'node:fs'
import { apiKey, Webhook } from '../../../src/index.ts'
import { sqlite } from '../../../src/engines/sqlite/index.ts'
import { startServer } from '../../../src/server/index.ts'

/** Serves an inbox, and says its port and each run of its gate. Arguments: the inbox's file and the webhook's key. */
const [file = '', key = ''] = process.argv.slice(2)
const say = (level: string) => (fields: object, message: string) => process.send?.({ level, message, fields })
const log = { info: say('info'), warn: say('warn'), error: say('error') }
const webhook = new Webhook({
  authenticate: apiKey(key),
  inbox: sqlite(file, { allowVolatile: true }),
  log,
})
webhook.gate('user.delete', ({ event }) => void process.send?.({ gated: event.id }))
webhook.on('user.update.complete', ({ event }) => void process.send?.({ handled: event.id }))
const server = await startServer({ webhook, door: { port: 0, hostname: '127.0.0.1' }, log })
process.send?.({ url: server.url })

process.on('message', (order: { occupyPoolWith?: string; stop?: true }) => {
  if (order.occupyPoolWith !== undefined) occupyPool(order.occupyPoolWith)
  if (order.stop) void server.stop().then(() => process.disconnect())
})

/** Occupies all four threads of node's pool: opening a FIFO blocks until somebody opens its other end. */
function occupyPool(fifo: string): void {
  for (let thread = 0; thread < 4; thread++) open(fifo, () => {})
  process.send?.({ busy: true })
}
