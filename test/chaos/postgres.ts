import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OwnServer, ownServer, query } from '../postgres/server.ts'
import { type Proxy, proxy } from './postgres-proxy.ts'

export interface PostgresChaosOptions {
  readonly faults: number
  /** Answers before the commit, to see that the chaos notices. */
  readonly sabotage?: 'answer-early'
  readonly progress?: (faults: number) => void
}

export interface PostgresVerdict {
  /** How often each fault struck. */
  readonly faults: Readonly<Record<Fault, number>>
  /** Events that were answered 2xx. */
  readonly acknowledged: number
  /** Of these, not in the inbox, or in it without an effect of every handler. */
  readonly lost: number
  /** Kept twice, or with two effects of the atomic handler. */
  readonly repeated: number
  /** Effects that came before one of an earlier event of their user. */
  readonly overtaken: number
  /** Further effects of the handler that may be repeated. */
  readonly again: number
}

const faults = ['a node killed', 'connections cut', 'the server killed', 'the server restarted'] as const
type Fault = (typeof faults)[number]

const senders = 12
const users = 100

/**
 * Three receivers and three workers share an inbox under load, each through a proxy of its own, while one thing after another breaks. What was not
 * acknowledged is sent again, to whichever receiver, as a load balancer and FusionAuth would; a user's next event is sent when the last
 * was acknowledged. In the end everything stands again, the inbox is drained and looked into.
 */
export async function chaos({
  faults: wanted,
  sabotage,
  progress,
}: PostgresChaosOptions): Promise<PostgresVerdict> {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-chaos-'))
  const effectsFile = join(folder, 'effects')
  const tally: Record<Fault, number> = Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<
    Fault,
    number
  > // Of all of them.
  await using server = await ownServer({ max_connections: '200' })
  await query(server.url, 'create table effects (n bigserial, id text not null)')
  const fleet: Node[] = []
  try {
    const roles = ['worker', 'worker', 'worker', 'receiver', 'receiver', 'receiver'] as const
    for (const role of roles) fleet.push(await node(server, role, effectsFile, sabotage))
    const load = send(fleet.filter(({ role }) => role === 'receiver'))
    for (let n = 1; n <= wanted; n++) {
      await sleep(50 + Math.random() * 450)
      const fault = strike(n)
      tally[fault]++
      await commit(fault, server, fleet[Math.floor(Math.random() * fleet.length)])
      progress?.(n)
    }
    await sleep(500)
    const acknowledged = await load.stop()
    await drain(server.url)
    return { faults: tally, ...(await judge(acknowledged, server.url, effectsFile)) }
  } finally {
    for (const one of fleet) await one[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  }
}

/** The server falls now and then, nodes and connections all the time. */
function strike(n: number): Fault {
  if (n % 10 === 5) return 'the server killed'
  if (n % 10 === 0) return 'the server restarted'
  return Math.random() < 0.5 ? 'a node killed' : 'connections cut'
}

async function commit(fault: Fault, server: OwnServer, victim: Node | undefined): Promise<void> {
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
  }
}

interface Node extends AsyncDisposable {
  readonly role: 'receiver' | 'worker'
  readonly proxy: Proxy
  /** Where a receiver listens now. */
  url(): string
  /** Kills it; another takes its place. */
  kill(): Promise<void>
}

async function node(
  server: OwnServer,
  role: Node['role'],
  effectsFile: string,
  sabotage: string | undefined,
): Promise<Node> {
  const way = await proxy(server.port)
  const database = new URL(server.url)
  database.port = String(way.port)
  const args = [database.href, role, effectsFile, ...(sabotage === undefined ? [] : [sabotage])]
  let child: ChildProcess
  let url = ''

  async function start(): Promise<void> {
    child = fork(new URL('postgres-node.ts', import.meta.url), args, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const gone = once(child, 'exit').then(() => Promise.reject(new Error(`a ${role} ended by itself`)))
    const [said] = (await Promise.race([once(child, 'message'), gone])) as [string] // What a node sends first.
    gone.catch(() => {})
    url = said
  }

  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`a ${role} ended by itself`)
    const dead = once(child, 'exit')
    child.kill('SIGKILL')
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
    async [Symbol.asyncDispose]() {
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
  const event = { type: 'user.update.complete', id, createInstant: 1_800_000_000_000, user: { id: user } }
  try {
    const response = await fetch(receiver?.url() ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'a key for chaos only' },
      body: JSON.stringify({ event }),
      signal: AbortSignal.timeout(5_000),
    })
    return response.ok
  } catch {
    return false
  }
}

/** The workers stand again; what killed ones had leased need not be waited for. */
async function drain(url: string): Promise<void> {
  await query(
    url,
    `create or replace function fusewire.now() returns bigint language sql stable
      return (extract(epoch from statement_timestamp()) * 1000)::bigint + 60000`,
  )
  for (let turn = 0; turn < 600; turn++) {
    const [left] = await query(
      url,
      'select (select count(*) from fusewire.intake) + (select count(*) from fusewire.heads) as count',
    )
    if (Number(left?.['count']) === 0) return
    await sleep(100)
  }
}

async function judge(
  acknowledged: Acknowledged,
  url: string,
  effectsFile: string,
): Promise<Omit<PostgresVerdict, 'faults'>> {
  const kept = (await query(url, 'select id from fusewire.events')).map(({ id }) => String(id))
  const atomic = (await query(url, 'select id from effects order by n')).map(({ id }) => String(id))
  const plain = existsSync(effectsFile) ? readFileSync(effectsFile, 'utf8').trim().split('\n') : []
  const everywhere = [kept, atomic, plain].map((ids) => new Set(ids))
  const ids = [...acknowledged.values()].flat()
  return {
    acknowledged: ids.length,
    lost: ids.filter((id) => !everywhere.every((there) => there.has(id))).length,
    repeated: kept.length - new Set(kept).size + atomic.length - new Set(atomic).size,
    overtaken: overtaken(acknowledged, atomic) + overtaken(acknowledged, plain),
    again: plain.length - new Set(plain).size,
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
