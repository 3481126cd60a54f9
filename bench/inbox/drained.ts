import type { Webhook } from '../../src/index.ts'
import type { Engine } from '../../src/model/engine.ts'
import type { Subject } from '../lib/benchmark.ts'
import { importFrom } from '../lib/build.ts'
import { cpuSince } from '../lib/cpu.ts'
import { arrivals, type } from './events.ts'
import { newFile } from './file.ts'
import { silent } from './silent.ts'

/** What lies in the inbox beside the events that are drained. */
export interface Beside {
  /** Once, before the first round. */
  readonly before?: (engine: Engine, webhook: Webhook, quick: boolean) => Promise<void>
  /** Before each measurement. */
  readonly each?: (engine: Engine, quick: boolean) => Promise<void>
}

const sharing = 1_000
const blocked = 'blocked'
let lanes = 0

/** How fast a webhook hands waiting events to a handler that does nothing, in lanes of a thousand users or of one. */
export function drained(
  name: string,
  events: number,
  oneUser?: string,
  { before, each }: Beside = {},
): Subject {
  return {
    name,
    async open({ quick, rounds, build }) {
      const { apiKey, Webhook } = await importFrom(build, '.')
      const { sqlite } = await importFrom(build, './sqlite')
      const inbox = sqlite(newFile(), { allowVolatile: true })
      const webhook = new Webhook({ authenticate: apiKey('nobody comes to the door'), inbox, log: silent })
      webhook.on(type, ({ event }) => {
        if (event.user.id.startsWith(blocked)) throw new Error('down')
      })
      await webhook.drain()
      await before?.(inbox, webhook, quick)
      // What was drained stays in the file: 40,000 in each of 31 rounds would be 3.5 GB.
      const count = quick ? sharing : rounds > 10 ? events / 4 : events

      return {
        async measure() {
          await each?.(inbox, quick)
          await append(inbox, count, oneUser)
          const began = performance.now()
          const cpu = process.cpuUsage()
          const { succeeded } = await webhook.drain()
          if (succeeded !== count) throw new Error(`${name}: ${succeeded} of ${count} were handled.`)
          return {
            'handled/s': (count / (performance.now() - began)) * 1000,
            'CPU µs/event': (cpuSince(cpu) / count) * 1000,
          }
        },
        close: () => webhook.stop(),
      }
    },
  }
}

/** A lane that waits behind a head whose handler fails. */
export async function blockLane(engine: Engine, quick: boolean): Promise<void> {
  await append(engine, quick ? sharing : 100_000, `${blocked} ${lanes++}`)
}

async function append(engine: Engine, count: number, oneUser?: string): Promise<void> {
  for (let left = count; left > 0; left -= sharing)
    await engine.append(arrivals(Math.min(left, sharing), oneUser))
}
