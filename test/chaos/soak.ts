import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OwnServer, ownServer, query } from '../postgres/server.ts'
import { type Answers, soakLoad } from './soak-load.ts'
import { growthPerMinute } from './slope.ts'

export interface SoakOptions {
  readonly engine: 'sqlite' | 'postgres'
  readonly minutes: number
  /** Requests a second. */
  readonly rate: number
  /** What is sampled before this minute does not count: caches fill, code is compiled. */
  readonly fromMinute: number
  readonly sampleEveryMs: number
  /** Holds every body for ever, to see that the soak notices. */
  readonly sabotage?: 'leak'
  readonly progress?: (minute: number, usage: Usage) => void
}

/** What the receiver's process uses, by name: bytes, or a count. */
export type Usage = Readonly<Record<string, number>>

export interface SoakVerdict {
  readonly answers: Answers
  readonly acknowledged: number
  /** Of these, without an effect. */
  readonly lost: number
  /** What the receiver's process used in the end, and by which part of its level that grew a minute. */
  readonly growth: Readonly<Record<string, { readonly last: number; readonly perMinute: number }>>
}

/** What docs/operate.md tells people to start node with: without it the young generation takes minutes to come to its level. */
const receiverFlags = ['--max-semi-space-size=16']
/** How long an event is kept: the retention of a year and more, in less than a minute. */
const keptMs = 45_000
const secret = 'a secret of thirty-two bytes ...'

/**
 * One receiver and worker under a mixed load for a long time: several types, gates, failing handlers, retries, resends, refused requests,
 * and beside them finds, prunes and replays. Whatever its process uses must come to a level.
 */
export async function soak(options: SoakOptions): Promise<SoakVerdict> {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-soak-'))
  const effectsFile = join(folder, 'effects')
  await using store = await storeOf(options.engine, folder)
  const args = [
    options.engine,
    store.place,
    secret,
    effectsFile,
    String(keptMs),
    ...(options.sabotage === undefined ? [] : [options.sabotage]),
  ]
  const child = fork(new URL('soak-receiver.ts', import.meta.url), args, {
    execArgv: ['--disable-warning=ExperimentalWarning', ...receiverFlags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  try {
    const load = soakLoad({ url: String(await hear(child)), secret, rate: options.rate })
    const samples = await sample(child, store, options)
    const { acknowledged, answers } = await load.stop()
    const exited = once(child, 'exit')
    child.send('drain and stop')
    const [code] = await exited
    if (code !== 0) throw new Error(`the receiver ended with ${code}`)
    const handled = new Set(existsSync(effectsFile) ? readFileSync(effectsFile, 'utf8').split('\n') : [])
    return {
      answers,
      acknowledged: acknowledged.length,
      lost: acknowledged.filter((id) => !handled.has(id)).length,
      growth: growthOf(samples),
    }
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/** Where the inbox is, and how large. */
interface Store extends AsyncDisposable {
  readonly place: string
  bytes(): Promise<number>
}

async function storeOf(engine: SoakOptions['engine'], folder: string): Promise<Store> {
  if (engine === 'postgres') {
    const server: OwnServer = await ownServer({ autovacuum_naptime: '5s' })
    return {
      place: server.url,
      bytes: async () => {
        const [row] = await query(server.url, 'select pg_database_size(current_database()) as bytes')
        return Number(row?.['bytes'])
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  }
  const file = join(folder, 'inbox.db')
  return {
    place: file,
    bytes: async () =>
      ['', '-wal', '-shm'].reduce(
        (sum, suffix) => sum + (statSync(`${file}${suffix}`, { throwIfNoEntry: false })?.size ?? 0),
        0,
      ),
    [Symbol.asyncDispose]: async () => {},
  }
}

type Samples = readonly { readonly minute: number; readonly usage: Usage }[]

async function sample(
  child: ChildProcess,
  store: Store,
  { minutes, fromMinute, sampleEveryMs, progress }: SoakOptions,
): Promise<Samples> {
  const samples: { minute: number; usage: Usage }[] = []
  const began = performance.now()
  for (let minute = 0; minute < minutes; minute = (performance.now() - began) / 60_000) {
    await sleep(sampleEveryMs)
    child.send('usage')
    const usage = { ...((await hear(child)) as Usage), 'inbox on disk': await store.bytes() } // As the receiver answers.
    progress?.(minute, usage)
    if (minute >= fromMinute) samples.push({ minute, usage })
  }
  return samples
}

function growthOf(samples: Samples): SoakVerdict['growth'] {
  return Object.fromEntries(
    Object.entries(samples.at(-1)?.usage ?? {}).map(([name, last]) => {
      const values = samples.map(({ minute, usage }) => ({ minute, value: usage[name] ?? 0 }))
      return [name, { last, perMinute: growthPerMinute(values) }]
    }),
  )
}

async function hear(child: ChildProcess): Promise<unknown> {
  const over = new AbortController()
  try {
    const [said] = await Promise.race([
      once(child, 'message', over),
      once(child, 'exit', over).then(([code, signal]) => {
        throw new Error(`the receiver ended by itself: ${code ?? signal}`)
      }),
    ])
    return said
  } finally {
    over.abort()
  }
}
