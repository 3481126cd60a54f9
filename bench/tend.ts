import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { Inbox, LongOptions } from '../src/inbox/inbox.ts'
import type { Engine } from '../src/model/engine.ts'
import type { Arrival } from '../src/model/arrival.ts'
import { type Benchmark, figure, ratio, type Subject } from './lib/benchmark.ts'
import { type Build, importFrom } from './lib/build.ts'
import { cpuSince } from './lib/cpu.ts'
import { arrivals } from './inbox/events.ts'
import { canonicalId } from '../src/model/canonical-id.ts'
import { newFile } from './inbox/file.ts'
import { silent } from './inbox/silent.ts'

const dayMs = 24 * 60 * 60_000
const types = ['user.create.complete', 'user.update.complete', 'user.login.success', 'user.delete.complete']
const rare = 'user.two-factor.method.add'

/** One of as many users that each has fifty events. */
const userOf = (n: number, count: number) => canonicalId(`user ${n % (count / 50)}`)

interface Filled {
  readonly engine: Engine
  readonly inbox: Inbox
  readonly count: number
  /** A day's events are a hundredth of it; the oldest is a hundred days old. */
  readonly startedAt: number
  /** Half of what this machine can acknowledge, measured on the inbox when it was filled. */
  readonly arrivalsPerMs: number
}

/** One inbox of each build for all that is measured. */
const inboxes = new Map<Build, Promise<Filled>>()

function filled(quick: boolean, build: Build): Promise<Filled> {
  const filling = inboxes.get(build) ?? fill(quick ? 10_000 : 1_000_000, build)
  inboxes.set(build, filling)
  return filling
}

async function fill(count: number, build: Build): Promise<Filled> {
  const { apiKey, Webhook } = await importFrom(build, '.')
  const { sqlite } = await importFrom(build, './sqlite')
  const file = newFile()
  const engine = sqlite(file, { allowVolatile: true })
  await engine.subscribe([{ handler: 'handler', types: '*', ordering: 'lane' }])
  const startedAt = Date.now() - 100 * dayMs
  for (let n = 0; n < count; n += 500) {
    await engine.append(
      arrivals(500).map((arrival, i): Arrival => {
        const at = startedAt + Math.floor(((n + i) / count) * 100 * dayMs)
        const type = (n + i) % 10_000 === 77 ? rare : (types[(n + i) % types.length] ?? rare)
        const user = userOf(n + i, count)
        const key = { ...arrival.key, createInstant: at }
        return { ...arrival, key, type, receivedAt: at, lane: user, subjects: [user] }
      }),
    )
  }
  await engine[Symbol.asyncDispose]()
  const failure = JSON.stringify([{ at: startedAt, message: 'Error: the mailer is down' }])
  using db = new DatabaseSync(file)
  db.exec(`update fw_deliveries set state = 'succeeded', attempts = 1`)
  db.prepare(
    `update fw_deliveries set state = 'dead', reason = 'failed', failures = ? where seq % 10000 = 5`,
  ).run(failure)
  db.exec('pragma wal_checkpoint(truncate)')
  const again = sqlite(file, { allowVolatile: true })
  await again.open()
  const arrivalsPerMs = (await capacity(again, count)) / 2
  const { inbox } = new Webhook({ authenticate: apiKey('nobody sends'), inbox: again, log: silent })
  return { engine: again, inbox, count, startedAt, arrivalsPerMs }
}

/** Events a millisecond that are acknowledged to 32 who each ask for the next when they have an answer, as HTTP connections do. */
async function capacity(engine: Engine, count: number): Promise<number> {
  const each = Math.ceil(count / 50 / 32)
  const began = performance.now()
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (let n = 0; n < each; n++) await engine.append(arrivals(1))
    }),
  )
  return (each * 32) / (performance.now() - began)
}

/** Acknowledges at a steady pace while something else goes on; times count from when an arrival was due, not from when its turn came. */
async function beside(
  { engine, arrivalsPerMs }: Filled,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const times: number[] = []
  const pending: Promise<unknown>[] = []
  let working = true
  const began = performance.now()
  const cpu = process.cpuUsage()
  const worked = work().finally(() => {
    working = false
  })
  let due = began
  while (working) {
    for (const now = performance.now(); due < now; due += 1 / arrivalsPerMs) {
      const since = due
      const acknowledged = engine.append(arrivals(1)).then(() => times.push(performance.now() - since))
      pending.push(acknowledged)
    }
    await pause(1)
  }
  await worked
  const tookMs = performance.now() - began
  await Promise.all(pending)
  const cpuMs = cpuSince(cpu)
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0
  return {
    'took ms': tookMs,
    'acknowledge p50 ms': at(0.5),
    'acknowledge p99 ms': at(0.99),
    'longest ms': at(0.9999),
    'CPU µs/acknowledged': (cpuMs / times.length) * 1000,
  }
}

/** An operation beside acknowledging: again and again for as long as a measurement takes, or `once`. */
function operation(
  name: string,
  run: (on: Filled) => Promise<unknown>,
  { once = false }: { once?: boolean } = {},
): Subject {
  return {
    name,
    compared: true,
    async open({ quick, ms, build }) {
      const on = await filled(quick, build)
      return {
        async measure() {
          const times: number[] = []
          let done = 0
          const measured = await beside(on, async () => {
            const until = performance.now() + ms
            do {
              const began = performance.now()
              const did = await run(on)
              times.push(performance.now() - began)
              if (typeof did === 'number') done += did
              if (!once) await pause(50) // Nobody asks without reading the answer.
            } while (!once && performance.now() < until)
          })
          times.sort((a, b) => a - b)
          const tookMs = times[Math.floor(times.length / 2)] ?? 0
          return { ...measured, 'took ms': tookMs, 'rows/s': (done / tookMs) * 1_000 }
        },
      }
    },
  }
}

const quiet = 'quiet'
let person = 0
let erased = 7
/** What a round replays waits from then on: each begins behind it. */
let replays = 0

const finds: readonly Subject[] = [
  operation('find by user', ({ inbox, count }) => inbox.page({ userId: userOf(person++, count) })),
  operation('find by a user who is not there', ({ inbox }) => inbox.page({ userId: 'nobody' })),
  operation('find by type', ({ inbox }) => inbox.page({ type: rare })),
  operation('find dead', ({ inbox }) => inbox.page({ state: 'dead' })),
  operation('find by error', ({ inbox }) => inbox.page({ errorText: 'mailer' })),
  operation('find by time', ({ inbox, startedAt }) =>
    inbox.page({ receivedAfter: startedAt + 40 * dayMs, receivedBefore: startedAt + 41 * dayMs }),
  ),
  operation('stats', ({ inbox }) => inbox.stats()),
]

/** How long a round lets what takes long go on. */
const longMs = 5_000

/** So much of something long as is done in that time. */
async function some(run: (options: LongOptions) => Promise<unknown>): Promise<number> {
  let done = 0
  const signal = AbortSignal.timeout(longMs)
  await run({ signal, onProgress: (progress) => void (done = progress.done) }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return done
}

const changes: readonly Subject[] = [
  operation(
    'replay',
    ({ inbox, startedAt }) =>
      some((options) =>
        inbox.replay(
          { receivedAfter: startedAt + (55 + 10 * replays++) * dayMs, state: 'succeeded' },
          options,
        ),
      ),
    { once: true },
  ),
  operation(
    'prune',
    ({ inbox, startedAt }) =>
      some((options) => inbox.prune({ before: new Date(startedAt + 50 * dayMs), dead: true }, options)),
    { once: true },
  ),
  operation('erase', async ({ inbox, count }) => {
    const { events } = await inbox.erase({ userId: userOf(erased++, count) })
    if (events === 0) throw new Error('nothing was erased')
  }),
]

export const benchmark: Benchmark = {
  title: 'Tend a SQLite inbox of a million events while it acknowledges half of what it can',
  rounds: 3,
  ms: 1_500,
  subjects: [operation(quiet, () => pause(1_000)), ...finds, ...changes],
  targets: [
    { name: 'find by user, ms', value: figure('took ms', 'find by user'), atMost: 50 },
    { name: 'find by type, ms', value: figure('took ms', 'find by type'), atMost: 50 },
    ...[...finds, ...changes].map(({ name }) => ({
      name: `acknowledge p99: ${name} / quiet`,
      value: ratio('acknowledge p99 ms', name, quiet),
      atMost: 2,
    })),
  ],
}
