import type { Engine } from '../../src/model/engine.ts'
import type { Opened, Subject } from '../lib/benchmark.ts'
import { importFrom } from '../lib/build.ts'
import { cpuSince } from '../lib/cpu.ts'
import { query } from '../../test/postgres/server.ts'
import { database } from './database.ts'
import { arrivalOf } from './work.ts'

const batch = 64
const lanes = 1_000

/** Appends, and claims that are settled, by one engine on an inbox that has gone through something before. */
export function stored(
  name: string,
  prepare: (url: string, engine: Engine, quick: boolean) => Promise<void>,
): Subject {
  return {
    name,
    async open({ ms, quick, build }): Promise<Opened> {
      const { postgres } = await importFrom(build, './postgres')
      const { url, [Symbol.asyncDispose]: leave } = await database(name.replaceAll(/\W/g, '_'), build)
      const engine = postgres(url)
      await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
      await prepare(url, engine, quick)
      await query(url, 'vacuum analyze')
      return {
        async measure() {
          await query(url, 'checkpoint')
          const appended = await appendFor(engine, ms / 2)
          const claimed = await claimAll(engine, appended.count)
          return {
            'append µs/event': appended.us,
            'CPU µs/append': appended.cpuUs,
            'claim µs/delivery': claimed.us,
            'CPU µs/claim': claimed.cpuUs,
          }
        },
        async close() {
          await engine[Symbol.asyncDispose]()
          await leave()
        },
      }
    },
  }
}

/** Of one event; the CPU time is that of this process, without the database's. */
interface Spent {
  readonly us: number
  readonly cpuUs: number
}

async function appendFor(engine: Engine, ms: number): Promise<Spent & { readonly count: number }> {
  let spent = 0
  let cpuMs = 0
  let count = 0
  while (spent < ms) {
    const arrivals = Array.from({ length: batch }, () => arrivalOf(`user ${count++ % lanes}`))
    const began = performance.now()
    const cpu = process.cpuUsage()
    await engine.append(arrivals)
    spent += performance.now() - began
    cpuMs += cpuSince(cpu)
  }
  return { us: (spent / count) * 1000, cpuUs: (cpuMs / count) * 1000, count }
}

/** Of the claims alone, what they admit included. */
async function claimAll(engine: Engine, count: number): Promise<Spent> {
  let spent = 0
  let cpuMs = 0
  for (let left = count; left > 0;) {
    const began = performance.now()
    const cpu = process.cpuUsage()
    const { leases } = await engine.claim([{ handler: 'a', limit: batch }], 30_000)
    spent += performance.now() - began
    cpuMs += cpuSince(cpu)
    await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    left -= leases.length
  }
  return { us: (spent / count) * 1000, cpuUs: (cpuMs / count) * 1000 }
}

export async function nothing(): Promise<void> {}

/** A million events that were delivered, in the week that is appended to. */
export async function aMillion(url: string, _: Engine, quick: boolean): Promise<void> {
  await query(
    url,
    `
    insert into fusewire.events (created, position, received, lane, hash, tenant, id, type, source, applications, kept, body)
    select fusewire.now() - n, nextval('fusewire.positions'), fusewire.now() - n, gen_random_uuid(), sha256(n::text::bytea), '',
      gen_random_uuid(), 'user.delete.complete', 'door', '{}', fusewire.now() - n, convert_to(repeat(md5(n::text), 60), 'utf8')
    from generate_series(1, ${quick ? 1_000 : 1_000_000}) as n;
    insert into fusewire.names select position >> 16, gen_random_uuid(), position, created from fusewire.events;
    insert into fusewire.finished (created, position, handler, attempts)
    select created, position, 1, 1 from fusewire.events
    `,
  )
}

/** A lane whose head is being handled for a long time, and a hundred thousand behind it. */
export async function aBlockedLane(_: string, engine: Engine, quick: boolean): Promise<void> {
  for (let n = 0; n < (quick ? 1 : 100); n++) {
    await engine.append(Array.from({ length: 1_000 }, () => arrivalOf('blocked')))
    await engine.claim([{ handler: 'a', limit: 1 }], 3_600_000)
  }
}
