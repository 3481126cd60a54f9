import { pbkdf2 } from 'node:crypto'
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

process.on('message', (order: { busyMs?: number; stop?: true }) => {
  if (order.busyMs !== undefined) keepPoolBusy(performance.now() + order.busyMs)
  if (order.stop) void server.stop().then(() => process.disconnect())
})

/** Occupies all four threads of node's pool. */
function keepPoolBusy(until: number): void {
  for (let thread = 0; thread < 8; thread++) {
    const again = (): void => {
      if (performance.now() < until) pbkdf2('a', 'b', 400_000, 64, 'sha512', again)
    }
    again()
  }
  process.send?.({ busy: true })
}
