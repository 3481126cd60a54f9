import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OwnServer, ownServer, query } from '../postgres/server.ts'
import { postgres } from '../../src/engines/postgres/index.ts'
import { apiKeyOfChaos, ChaosEvents, effectsIn } from './events.ts'
import { faultyMachine } from './faults.ts'
import { whyNoShim } from '../support/preload.ts'
import { type Proxy, proxy } from './postgres-proxy.ts'
import { killing, postponing, troubles } from './troubles.ts'

export interface PostgresChaosOptions {
  /** How many faults strike. */
  readonly faults: number
  /** Which, in turn. Default: all, those that come and go at once far more often than the others. */
  readonly among?: readonly PostgresFault[]
  /** Answers before the commit, to see that the chaos notices. */
  readonly sabotage?: 'answer-early'
  readonly progress?: (faults: number) => void
}

export interface PostgresVerdict {
  /** How often each fault struck. */
  readonly faults: Readonly<Record<PostgresFault, number>>
  /** Events that were answered 2xx. */
  readonly acknowledged: number
  /** Of these, not in the inbox, or in it without an effect of every handler. */
  readonly lost: number
  /** Kept twice, or with two effects of the atomic handler. */
  readonly repeated: number
  /** Effects that came before one of an earlier event of their user. */
  readonly overtaken: number
  /** Dead letters of events that do no harm. */
  readonly innocent: number
  /** Times a process ended by itself, but for the event that kills it. */
  readonly uncaught: number
  /** Deliveries that still waited long after everything was well, and poison events that did not become dead letters `crashed`. */
  readonly stuck: number
  /** Further effects of the handlers that may be repeated. */
  readonly again: number
}

const faults = [
  'a node killed',
  'connections cut',
  'the server killed',
  'the server restarted',
  'a poison event',
  'outcomes that cannot be stored',
  'tended',
  'a wrong clock',
] as const
export type PostgresFault = (typeof faults)[number]

/** Sent again, an event is the same event. */
const startedAt = Date.now()
const senders = 12
const users = 100
const filledEvents = 1_500
/** Far above what an attempt takes, far below the product's half minute: a poison event takes some ten processes, one lease after another. */
const leaseMs = 5_000
const poisonWithinMs = 180_000
const clocksAheadMs = [40 * 86_400_000, 420 * 86_400_000, -2 * 3_600_000]

/**
 * Three receivers and three workers share an inbox under load, each through a proxy of its own, while one thing after another breaks. What was not
 * acknowledged is sent again, to whichever receiver, as a load balancer and FusionAuth would; a user's next event is sent when the last
 * was acknowledged. In the end everything stands again, the inbox is drained and looked into.
 */
export async function chaos({
  faults: wanted,
  among,
  sabotage,
  progress,
}: PostgresChaosOptions): Promise<PostgresVerdict> {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-chaos-'))
  const effectsFile = join(folder, 'effects')
  const tally: Record<PostgresFault, number> = Object.fromEntries(
    faults.map((fault) => [fault, 0]),
  ) as Record<PostgresFault, number> // Of all of them.
  await using server = await ownServer({ max_connections: '200' })
  await query(server.url, 'create table effects (n bigserial, id text not null)')
  using machine = whyNoShim() === undefined ? faultyMachine(folder, folder) : undefined
  const events = new ChaosEvents()
  const died: string[] = []
  const fleet: Node[] = []
  let poisonLeft = 0

  async function strike(fault: PostgresFault, times: number): Promise<void> {
    const workers = fleet.filter(({ role }) => role === 'worker')
    const victim = fleet[Math.floor(Math.random() * fleet.length)]
    switch (fault) {
      case 'a node killed':
        return victim?.kill()
      case 'connections cut':
        return victim?.proxy.cut()
      case 'the server killed':
        await server.kill()
        return server.start()
      case 'the server restarted':
        await server.stop()
        return server.start()
      case 'outcomes that cannot be stored':
        await Promise.all(troubles.map((trouble) => inject(trouble)))
        return
      case 'a poison event': {
        const id = await inject(killing)
        if (!(await eventually(() => gaveUp(server.url, id), poisonWithinMs))) poisonLeft++
        return
      }
      case 'tended': {
        await fill(server.url, events)
        await eventually(async () => (await waiting(server.url)) < 500, 30_000)
        workers[0]?.tend()
        await sleep(4_000)
        return workers[0]?.kill()
      }
      case 'a wrong clock':
        machine?.clock(clocksAheadMs[times % clocksAheadMs.length] ?? 0)
        await victim?.kill() // One more starts in the wrong time.
        await sleep(1_000)
        return machine?.clock(0)
    }
  }

  async function inject(trouble: string): Promise<string> {
    const id = events.add({ trouble })
    const receivers = fleet.filter(({ role }) => role === 'receiver')
    while (!(await postBody(receivers[Math.floor(Math.random() * receivers.length)], events.bodyOf(id))))
      await sleep(50)
    events.acknowledge(id)
    return id
  }

  try {
    const roles = ['worker', 'worker', 'worker', 'receiver', 'receiver', 'receiver'] as const
    const begin = (role: Node['role']) =>
      node(server, { role, effectsFile, sabotage, env: machine?.env, died: (how) => died.push(how) })
    fleet.push(...(await Promise.all(roles.map(begin))))
    const load = send(fleet.filter(({ role }) => role === 'receiver'))
    for (let n = 1; n <= wanted; n++) {
      await sleep(50 + Math.random() * 450)
      const fault = among?.[n % among.length] ?? faultOf(n)
      await strike(fault, tally[fault]++)
      progress?.(n)
    }
    await sleep(500)
    const acknowledged = await load.stop()
    const left = await drain(server.url, events)
    return {
      faults: tally,
      ...(await judge(acknowledged, events, server.url, effectsFile)),
      uncaught: died.filter((how) => how !== 'SIGKILL').length,
      stuck: left + poisonLeft,
    }
  } finally {
    for (const one of fleet) await one[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  }
}

/** The server falls now and then, nodes and connections all the time, and every third fault is one of the rest. */
function faultOf(n: number): PostgresFault {
  if (n % 10 === 5) return 'the server killed'
  if (n % 10 === 0) return 'the server restarted'
  const slow = ['a poison event', 'outcomes that cannot be stored', 'tended', 'a wrong clock'] as const
  if (n % 3 === 0) return slow[Math.floor(n / 3) % slow.length] ?? 'a poison event'
  return Math.random() < 0.5 ? 'a node killed' : 'connections cut'
}

/** False when it was not so within this time. */
async function eventually(done: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs
  while (performance.now() < until) {
    if (await done()) return true
    await sleep(200)
  }
  return false
}

async function gaveUp(url: string, id: string): Promise<boolean> {
  const found = await query(
    url,
    `select 1 as one from fusewire.dead d join fusewire.events e using (created, position) where e.id = '${id}' and d.reason = 'crashed'`,
  )
  return found.length > 0
}

/** Appends what takes some steps to replay and to erase, from this process: it is not the load that is to be slow. */
async function fill(url: string, events: ChaosEvents): Promise<void> {
  await using engine = postgres(url)
  for (let left = filledEvents; left > 0; left -= 500) await engine.append(events.arrivalsOfErased(500))
}

interface Node extends AsyncDisposable {
  readonly role: 'receiver' | 'worker'
  readonly proxy: Proxy
  /** Where a receiver listens now. */
  url(): string
  /** Kills it; another takes its place. */
  kill(): Promise<void>
  /** Makes a worker replay, prune and erase until it is killed. */
  tend(): void
}

interface NodeOptions {
  readonly role: Node['role']
  readonly effectsFile: string
  readonly sabotage: string | undefined
  readonly env: NodeJS.ProcessEnv | undefined
  /** Called when it ended by itself, with its signal or its code. Another takes its place. */
  readonly died: (how: string) => void
}

async function node(
  server: OwnServer,
  { role, effectsFile, sabotage, env, died }: NodeOptions,
): Promise<Node> {
  const way = await proxy(server.port)
  const database = new URL(server.url)
  database.port = String(way.port)
  const args = [
    database.href,
    role,
    effectsFile,
    String(leaseMs),
    ...(sabotage === undefined ? [] : [sabotage]),
  ]
  let child: ChildProcess | undefined
  let url = ''
  let stopping = false

  /** Until one stands: one that dies at its start is followed by another. */
  async function start(): Promise<void> {
    for (;;) {
      const one = fork(new URL('postgres-node.ts', import.meta.url), args, {
        execArgv: ['--disable-warning=ExperimentalWarning'],
        env: { ...process.env, ...env },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      child = one
      const gone = once(one, 'exit').then(([code, signal]) => {
        if (stopping || child !== one) return undefined
        died(String(signal ?? code))
        return undefined
      })
      const said = await Promise.race([once(one, 'message').then(([first]) => String(first)), gone])
      if (said === undefined) continue
      url = said
      void gone.then(() => (stopping || child !== one ? undefined : start()))
      return
    }
  }

  async function stop(): Promise<void> {
    const one = child
    child = undefined
    if (one === undefined || one.exitCode !== null || one.signalCode !== null) return
    const dead = once(one, 'exit')
    one.kill('SIGKILL')
    await dead
  }

  await start()
  return {
    role,
    proxy: way,
    url: () => url,
    async kill() {
      await stop()
      await start()
    },
    tend: () => void child?.send('tend'),
    async [Symbol.asyncDispose]() {
      stopping = true
      await stop()
      await way[Symbol.asyncDispose]()
    },
  }
}

/** What each user's events were, in the order in which they were acknowledged. */
type Acknowledged = ReadonlyMap<string, readonly string[]>

/** Each sender has users of its own, so that a user's events are sent one after another. */
function send(receivers: readonly Node[]): { stop(): Promise<Acknowledged> } {
  const acknowledged = new Map<string, string[]>()
  let stopping = false

  async function sender(which: number): Promise<void> {
    for (let n = 0; !stopping; n++) {
      const user = `user-${which + senders * (n % Math.floor(users / senders))}`
      const id = randomUUID()
      while (!(await post(receivers[Math.floor(Math.random() * receivers.length)], user, id))) {
        await sleep(Math.random() * 50)
      }
      // Now and then it comes again, though it was acknowledged: the answer got lost on its way.
      if (n % 20 === 0) await post(receivers[0], user, id)
      acknowledged.set(user, [...(acknowledged.get(user) ?? []), id])
    }
  }

  const sending = Promise.all(Array.from({ length: senders }, (_, which) => sender(which)))
  return {
    async stop() {
      stopping = true
      await sending
      return acknowledged
    },
  }
}

/** Whether it was answered 2xx. */
async function post(receiver: Node | undefined, user: string, id: string): Promise<boolean> {
  const event = { type: 'user.update.complete', id, createInstant: startedAt, user: { id: user } }
  return postBody(receiver, JSON.stringify({ event }))
}

async function postBody(receiver: Node | undefined, body: string): Promise<boolean> {
  try {
    const response = await fetch(receiver?.url() ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: apiKeyOfChaos },
      body,
      signal: AbortSignal.timeout(5_000),
    })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

/** Waits until nothing waits but what asked for it; gives how much still does after two minutes. */
async function drain(url: string, events: ChaosEvents): Promise<number> {
  const expected = [...events.acknowledged].filter((id) => events.troubleOf(id) === postponing).length
  await eventually(async () => (await waiting(url)) <= expected, 120_000)
  return Math.max(0, (await waiting(url)) - expected)
}

async function waiting(url: string): Promise<number> {
  const [left] = await query(
    url,
    'select (select count(*) from fusewire.intake) + (select count(*) from fusewire.parked) + (select count(*) from fusewire.heads) as count',
  )
  return Number(left?.['count'])
}

async function judge(
  acknowledged: Acknowledged,
  events: ChaosEvents,
  url: string,
  effectsFile: string,
): Promise<Omit<PostgresVerdict, 'faults' | 'uncaught' | 'stuck'>> {
  const ids = async (sql: string) => (await query(url, sql)).map(({ id }) => String(id))
  const kept = await ids('select id from fusewire.events')
  const atomic = await ids('select id from effects order by n')
  const dead = await ids(
    'select distinct e.id from fusewire.dead join fusewire.events e using (created, position)',
  )
  const { plain, troubled, gated } = effectsIn(effectsFile)
  const injected = events.judge({ kept, atomic, plain, troubled, gated, dead, bodiless: [] })
  const everywhere = [kept, atomic, plain, troubled].map((found) => new Set(found))
  const sent = [...acknowledged.values()].flat()
  return {
    ...injected,
    acknowledged: sent.length + events.acknowledged.size,
    lost: injected.lost + sent.filter((id) => !everywhere.every((there) => there.has(id))).length,
    overtaken: overtaken(acknowledged, atomic) + overtaken(acknowledged, plain),
  }
}

/** Of two events of a user, the one acknowledged first must have its first effect first. */
function overtaken(acknowledged: Acknowledged, effects: readonly string[]): number {
  const places = new Map(effects.map((id, place) => [id, place] as const).toReversed())
  let count = 0
  for (const ids of acknowledged.values()) {
    const order = ids.map((id) => places.get(id) ?? Infinity)
    count += order.filter((place, n) => place < Math.max(-1, ...order.slice(0, n))).length
  }
  return count
}
