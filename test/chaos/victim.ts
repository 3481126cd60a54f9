import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiKey, Webhook } from '../../src/index.ts'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { serve } from '../../src/http/node.ts'
import type { Engine } from '../../src/model/engine.ts'

/** A receiver and worker that is killed at any instant: its arguments are the inbox's file, the log of effects and a sabotage. */
const [inboxFile = '', effectsFile = '', sabotage] = process.argv.slice(2)

const inbox = sqlite(inboxFile, { allowVolatile: true })
const webhook = new Webhook({
  authenticate: apiKey('a key for chaos only'),
  inbox: sabotage === 'answer-early' ? answeringEarly(inbox) : inbox,
})

webhook.on('user.update.complete', { name: 'atomic', atomic: true }, ({ event, sql }) => {
  sql.exec('create table if not exists effects (id text not null)')
  sql.prepare('insert into effects (id) values (?)').run(event.id)
})

// Its effect is outside the inbox, so it may be repeated but never left out.
webhook.on('user.update.complete', { name: 'plain' }, ({ event }) => {
  appendFileSync(effectsFile, `${event.id}\n`)
})

const { url } = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
process.send?.(url)
process.on('message', () => void finish())

async function finish(): Promise<void> {
  // What a killed worker had leased falls due when its lease runs out.
  while ((await webhook.drain()).remaining > 0) await sleep(500)
  await webhook.stop()
  process.exit()
}

/** The mistake the chaos must catch: a 2xx that runs ahead of the commit. */
function answeringEarly<E extends Engine>(engine: E): E {
  return {
    ...engine,
    append: async (arrivals) => {
      setTimeout(() => void engine.append(arrivals), 5)
      return arrivals.map(() => 'stored')
    },
  }
}
