import { sqlite } from '../../../src/engines/sqlite/index.ts'
import { arrival } from '../../../src/testing/arrival.ts'

/**
 * One of several processes on an inbox: appends its own events and handles whatever it is leased, until told to stop. Half of its handlers'
 * attempts fail once. Arguments: the file, its name, how many events.
 */
const [file = '', name = '', count = '0'] = process.argv.slice(2)
const engine = sqlite(file, { allowVolatile: true })
const lanes = 7
let stopping = false
process.on('message', () => {
  stopping = true
})

await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
await Promise.all([appendAll(), work()])
await engine[Symbol.asyncDispose]()
process.disconnect()

async function appendAll(): Promise<void> {
  for (let i = 0; i < Number(count); i++) {
    await engine.append([arrival(`${name} ${i}`, { lane: `lane ${i % lanes}` }), arrival(`shared ${i}`)])
  }
  process.send?.('appended')
}

async function work(): Promise<void> {
  while (!stopping) {
    const { leases } = await engine.claim([{ handler: 'a', limit: 5 }], 30_000)
    await Promise.all(
      leases.map(async (lease) => {
        if (lease.attempt === 1 && lease.position % 2 === 0) {
          const failure = { at: 0, message: 'it failed' }
          return engine.settle([{ lease, outcome: { kind: 'retry', afterMs: 1, failure } }])
        }
        return engine.atomic?.(lease, (sql) => {
          sql
            .prepare(
              'insert into handled (id, seq, lane) values (?, ?, (select lane from fw_deliveries where seq = ?))',
            )
            .run(lease.event.key.id, lease.position, lease.position)
        })
      }),
    )
    if (leases.length === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
