import { randomBytes, randomUUID } from 'node:crypto'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { arrival } from '../../src/testing/arrival.ts'

/** Appends and handles events until its power is cut, and says what it acknowledged. Its argument: the inbox's file. */
const [file = ''] = process.argv.slice(2)
const engine = sqlite(file, { allowVolatile: true })
await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])

void append()
void handle()

async function append(): Promise<void> {
  for (;;) {
    const events = Array.from({ length: 8 }, (_, i) =>
      arrival(randomUUID(), { lane: `lane ${i}`, body: randomBytes(2_000) }),
    )
    await engine.append(events)
    process.send?.({ kept: events.map(({ key }) => key.id) })
  }
}

async function handle(): Promise<void> {
  for (;;) {
    const { leases } = await engine.claim([{ handler: 'a', limit: 8 }], 100)
    const settled = await Promise.all(
      leases.map(async (lease) =>
        engine.atomic?.(lease, (sql) => {
          sql.exec('create table if not exists effects (id text not null)')
          sql.prepare('insert into effects (id) values (?)').run(lease.event.key.id)
        }),
      ),
    )
    const handled = leases.filter((_, i) => settled[i] === 'settled')
    process.send?.({ handled: handled.map(({ event }) => event.key.id) })
  }
}
