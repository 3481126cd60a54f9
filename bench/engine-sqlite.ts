/**
 * What the SQLite engine costs by itself, without HTTP: append, drain, claim and append beside what is settled.
 * node bench/engine-sqlite.ts [settled events, default 100000]
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from '../src/engines/sqlite/index.ts'
import type { Engine } from '../src/model/engine.ts'
import type { Arrival } from '../src/model/event.ts'

const settled = Number(process.argv[2] ?? 100_000)
const folder = mkdtempSync(join(tmpdir(), 'fusewire-bench-'))
const bodyBytes = 1_900
const body = randomBytes(bodyBytes)
const lanes = Array.from({ length: 1_000 }, () => randomUUID())
const tenantId = randomUUID()
let instant = 1_900_000_000_000

function arrivals(count: number, lane: (i: number) => string): Arrival[] {
  return Array.from({ length: count }, (_, i) => {
    const user = lane(i)
    return {
      key: { createInstant: (instant += Math.random() < 0.1 ? 1 : 0), tenantId, id: randomUUID() },
      type: 'user.update.complete',
      source: 'door',
      receivedAt: instant,
      hash: body.subarray(0, 32),
      body,
      lane: user,
      applicationIds: [],
      subjects: [user],
    }
  })
}

const someLane = (): string => lanes[Math.floor(Math.random() * lanes.length)] ?? ''

async function append(engine: Engine, events: readonly Arrival[], batch = 48): Promise<number> {
  const started = performance.now()
  for (let i = 0; i < events.length; i += batch) await engine.append(events.slice(i, i + batch))
  return (events.length / (performance.now() - started)) * 1_000
}

async function drain(engine: Engine, count: number, limit = 64): Promise<number> {
  const started = performance.now()
  let drained = 0
  while (drained < count) {
    const { leases } = await engine.claim([{ handler: 'a', limit }], 30_000)
    await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    drained += leases.length
  }
  return (drained / (performance.now() - started)) * 1_000
}

async function opened(name: string): Promise<Engine> {
  const engine = sqlite(join(folder, name), { allowVolatile: true })
  await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
  return engine
}

const say = (what: string, rate: number): void =>
  console.log(`${what.padEnd(52)} ${Math.round(rate).toLocaleString('en').padStart(10)} /s`)

function fsyncMs(): number {
  const file = openSync(join(folder, 'probe'), 'w')
  const page = Buffer.alloc(65_536)
  const started = performance.now()
  for (let i = 0; i < 200; i++) {
    writeSync(file, page, 0, page.length, (i % 50) * page.length)
    fdatasyncSync(file)
  }
  closeSync(file)
  return (performance.now() - started) / 200
}

try {
  console.log(`fdatasync of 64 KiB: ${fsyncMs().toFixed(2)} ms`)
  {
    await using engine = await opened('free.db')
    const events = arrivals(100_000, someLane)
    say('append, empty, batches of 48', await append(engine, events))
    say('drain, 1,000 lanes', await drain(engine, events.length))
    say('append one at a time', await append(engine, arrivals(2_000, someLane), 1))
    say('drain one at a time', await drain(engine, 2_000, 1))
    await append(
      engine,
      arrivals(20_000, () => 'alone'),
    )
    say('drain, one lane', await drain(engine, 20_000))
  }
  {
    await using engine = await opened('blocked.db')
    await append(
      engine,
      arrivals(100_000, () => 'blocked'),
    )
    await append(engine, arrivals(50_000, someLane))
    const head = await engine.claim([{ handler: 'a', limit: 1 }], 3_600_000)
    say('drain while a lane of 100,000 is being parked', await drain(engine, 50_000))
    await append(engine, arrivals(50_000, someLane))
    say('drain beside a parked lane of 100,000', await drain(engine, 50_000))
    await engine.release(head.leases)
  }
  {
    await using engine = await opened('old.db')
    for (const share of [0, 0.1, 1]) {
      const more = settled * share - (await engine.stats()).events
      for (let left = more; left > 0; left -= 50_000) {
        await append(engine, arrivals(Math.min(left, 50_000), someLane))
        await drain(engine, Math.min(left, 50_000))
      }
      const about = `beside ${(settled * share).toLocaleString('en')} settled`
      say(`append, ${about}`, await append(engine, arrivals(20_000, someLane)))
      say(`drain, ${about}`, await drain(engine, 20_000))
      const times: number[] = []
      for (let i = 0; i < 300; i++) {
        await append(engine, arrivals(1, someLane))
        const started = performance.now()
        const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], 30_000)
        times.push(performance.now() - started)
        await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
      }
      times.sort((a, b) => a - b)
      console.log(`claim of one, ${about}: median ${(times[150] ?? 0).toFixed(3)} ms`)
    }
    console.log(
      `${(statSync(join(folder, 'old.db')).size / (await engine.stats()).events / 1_000).toFixed(2)} KB an event, ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}
