import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { javaLikeSender } from '../support/java-like-sender.ts'
import { apiKeyOfChaos, ChaosEvents, effectsIn } from './events.ts'
import { faultyMachine, type FaultyMachine } from './faults.ts'
import { whyNoShim } from '../support/preload.ts'
import { slowNetwork } from '../support/slow-network.ts'
import { killing, postponing, troubles } from './troubles.ts'

export interface ChaosOptions {
  readonly kills: number
  /** What happens beside the kills, in turn. Default: all that this machine can do. */
  readonly faults?: readonly Fault[]
  /** Answers before the commit, to see that the chaos notices. */
  readonly sabotage?: 'answer-early'
  readonly progress?: (kills: number) => void
}

export interface Verdict {
  readonly kills: number
  /** How often each fault struck. */
  readonly faults: Readonly<Partial<Record<Fault, number>>>
  /** Events that were answered 2xx. */
  readonly acknowledged: number
  /** Of these, not in the inbox, or in it without an effect of every handler. */
  readonly lost: number
  /** Kept twice, or with two effects of the atomic handler. */
  readonly repeated: number
  /** Dead letters of events that do no harm. */
  readonly innocent: number
  /** Times the process ended by itself, but for the event that kills it. */
  readonly uncaught: number
  /** 200s that came long after the receiver's deadline, while the disk was slow. */
  readonly late: number
  /** Requests of a Java-like sender that a restart left without an answer. */
  readonly cutOff: number
  /** Times a gate was asked about an event that a full disk then did not keep, but for the requests under way when it filled. */
  readonly askedInVain: number
  /** Events whose body went though nobody pruned that far. */
  readonly wronglyPruned: number
  /** Deliveries that still waited long after everything was well, and poison events that did not become dead letters `crashed`. */
  readonly stuck: number
  /** Further effects of the handlers that may be repeated. */
  readonly again: number
}

const shimFaults = ['a full disk', 'a slow disk', 'a wrong clock'] as const
const plainFaults = [
  'a poison event',
  'killed',
  'outcomes that cannot be stored',
  'tended',
  'restarted under a Java sender',
] as const
export type Fault = (typeof shimFaults)[number] | (typeof plainFaults)[number]

/** Without a shim for the disk and the clock: those that need none. */
export function possibleFaults(): readonly Fault[] {
  return whyNoShim() === undefined ? [...plainFaults, ...shimFaults] : plainFaults
}

const connections = 16
/** That send what needs much room to a disk that is nearly full. */
const largeConnections = 4
/** Of each connection, so that what is handled keeps up with what comes: some 250 requests a second in all. */
const pauseMs = 50
/** So many events are acknowledged before something happens to the process: what follows meets it at work. */
const loadedEvents = 200
const loadedWithinMs = 20_000
/** Far above what an attempt takes, far below the product's half minute, so that the next process meets what the last one left. */
const leaseMs = 5_000
/** A settlement that waits for a slow disk must not lose its lease meanwhile. */
const patientLeaseMs = 15_000
/** A poison event takes some ten lives, each of which waits for the leases of the last. */
const poisonLeaseMs = 2_000
const poisonWithinMs = 180_000
const restarts = 3
const filledEvents = 1_500
/** In turn: below the 1.5 s after which the receiver answers 503, and above them. */
const slowSyncMs = { answerable: 200, hopeless: 5_000 }
/** The receiver promises an answer after 1.5 s. */
const lateMs = 4_000
const clocksAheadMs = [40 * 86_400_000, 420 * 86_400_000, -2 * 3_600_000]
/** How long everything may take to settle when nothing is wrong any more. */
const patienceMs = 120_000

/**
 * A receiver and its worker under load are killed at random instants and started again on the same inbox, and in each life something else is
 * wrong besides. Unacknowledged events are sent again, and so are some acknowledged ones, as FusionAuth would. In the end all is well, what
 * waits is handled, and the inbox is looked into.
 */
export async function chaos({
  kills,
  faults = possibleFaults(),
  sabotage,
  progress,
}: ChaosOptions): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-chaos-'))
  const files = { inbox: join(folder, 'inbox.db'), effects: join(folder, 'effects') }
  using machine = whyNoShim() === undefined ? faultyMachine(folder, files.inbox) : undefined
  const run = new Run(files, machine, sabotage)
  try {
    for (let kill = 1; kill <= kills; kill++) {
      await run.live(faults[kill % faults.length] ?? 'killed')
      progress?.(kill)
    }
    await run.settle()
    return { kills, ...run.verdict() }
  } finally {
    await run.end()
    rmSync(folder, { recursive: true })
  }
}

interface Victim {
  readonly child: ChildProcess
  readonly url: string
  /** Resolves when it is dead. */
  readonly dead: Promise<unknown>
}

interface Files {
  readonly inbox: string
  readonly effects: string
}

class Run {
  readonly #files: Files
  readonly #machine: FaultyMachine | undefined
  readonly #sabotage: string | undefined
  readonly #events = new ChaosEvents()
  readonly #tally = new Map<Fault, number>()
  #living: Victim | undefined
  #diskIsSlow = false
  #uncaught = 0
  #askedInVain = 0
  #poisonLeft = 0
  #cutOff = 0
  #late = 0

  constructor(files: Files, machine: FaultyMachine | undefined, sabotage: string | undefined) {
    this.#files = files
    this.#machine = machine
    this.#sabotage = sabotage
  }

  async live(fault: Fault): Promise<void> {
    const times = this.#tally.get(fault) ?? 0
    this.#tally.set(fault, times + 1)
    switch (fault) {
      case 'killed':
        return this.#life(async () => {
          await this.#loaded()
          await sleep(Math.random() * 400)
        })
      case 'outcomes that cannot be stored':
        return this.#life(async () => {
          await this.#loaded()
          for (const trouble of troubles) await this.#inject(trouble)
          await this.#until(() => this.#waiting() < 50, 20_000)
        })
      case 'tended':
        await this.#life(async ({ child }) => {
          await this.#fill()
          await this.#until(() => this.#waiting() < 100, 40_000)
          child.send('tend')
          await sleep(4_000)
        })
        return this.#events.mayBePruned()
      case 'a full disk':
        return this.#life(() => this.#fillDisk())
      case 'a slow disk':
        return this.#life(async () => {
          await this.#loaded()
          this.#machine?.slowSync(slowSyncMs.answerable)
          await sleep(3_000)
          this.#machine?.slowSync(slowSyncMs.hopeless)
          this.#diskIsSlow = true
          await sleep(1.5 * slowSyncMs.hopeless)
          this.#machine?.slowSync(0)
          this.#diskIsSlow = false
          await this.#loaded(50)
        }, patientLeaseMs)
      case 'a wrong clock':
        this.#machine?.clock(clocksAheadMs[times % clocksAheadMs.length] ?? 0)
        return this.#life(async () => {
          await this.#loaded()
          await sleep(1_500)
          this.#machine?.clock(0)
          await this.#loaded(50)
        })
      case 'a poison event':
        return this.#poison()
      case 'restarted under a Java sender':
        return this.#restart()
    }
  }

  /** Starts the process, loads it, lets something happen and kills it. It may die before. */
  async #life(happen: (victim: Victim) => Promise<void>, leasesMs = leaseMs): Promise<void> {
    const victim = await this.#start({ leaseMs: leasesMs })
    if (victim === undefined) return
    const load = this.#load(victim)
    const happened = happen(victim)
    await Promise.race([happened, victim.dead])
    victim.child.kill('SIGKILL')
    await victim.dead
    await happened
    this.#machine?.heal()
    this.#diskIsSlow = false
    await load
  }

  /** Undefined when it died before it listened. */
  async #start(options: { port?: number; leaseMs?: number } = {}): Promise<Victim | undefined> {
    const { inbox, effects } = this.#files
    const numbers = [options.port ?? 0, options.leaseMs ?? leaseMs].map(String)
    const args = [inbox, effects, ...numbers, ...(this.#sabotage === undefined ? [] : [this.#sabotage])]
    const child = fork(new URL('victim.ts', import.meta.url), args, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, ...this.#machine?.env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const dead = once(child, 'exit').then(([code, signal]) => {
      if (this.#living?.child === child) this.#living = undefined
      if (code === null ? signal !== 'SIGKILL' && signal !== 'SIGTERM' : code !== 0) this.#uncaught++
    })
    const url = await Promise.race([
      once(child, 'message').then(([said]) => String(said)),
      dead.then(() => undefined),
    ])
    if (url === undefined) return undefined
    this.#living = { child, url, dead }
    return this.#living
  }

  /** Sends what was not answered, some of what was, and new events, until the process is dead. */
  async #load({ child, url }: Victim): Promise<void> {
    const again = this.#events.toSendAgain()
    const alive = () => child.exitCode === null && child.signalCode === null
    const sender = async () => {
      while (alive()) {
        const id = again.pop() ?? this.#events.add({})
        const began = performance.now()
        const answered = await post(url, this.#events.bodyOf(id))
        if (answered && this.#diskIsSlow && performance.now() - began > lateMs) this.#late++
        if (answered) this.#events.acknowledge(id)
        await sleep(answered ? pauseMs : 10)
      }
    }
    await Promise.all(Array.from({ length: connections }, sender))
  }

  /** Appends what takes some steps to replay and to erase, from this process: it is not the load that is to be slow. */
  async #fill(): Promise<void> {
    await using engine = sqlite(this.#files.inbox, { allowVolatile: true })
    for (let left = filledEvents; left > 0; left -= 500)
      await engine.append(this.#events.arrivalsOfErased(500))
  }

  /** Until so many more events are acknowledged. */
  async #loaded(more = loadedEvents): Promise<void> {
    const wanted = this.#events.acknowledged.size + more
    await this.#until(() => this.#events.acknowledged.size >= wanted, loadedWithinMs)
  }

  /** Or until the process is dead. */
  async #until(done: () => boolean, atMostMs: number): Promise<void> {
    const until = performance.now() + atMostMs
    while (this.#living !== undefined && performance.now() < until && !done()) await sleep(100)
  }

  /** Posts an event with trouble until it is acknowledged or its process is dead. */
  async #inject(trouble: string): Promise<string> {
    const id = this.#events.add({ trouble })
    while (this.#living !== undefined && !(await post(this.#living.url, this.#events.bodyOf(id))))
      await sleep(50)
    if (this.#living !== undefined) this.#events.acknowledge(id)
    return id
  }

  /** Leaves the disk full for a while, and counts the gates that were asked about events which it did not keep. */
  async #fillDisk(): Promise<void> {
    await this.#loaded()
    const before = effectsIn(this.#files.effects).asked.length
    // Room for a small write comes and goes, as where other programs delete what they wrote; for a large event there is none.
    const little = () => this.#machine?.room(20_000)
    little()
    const comesAndGoes = setInterval(little, 100)
    await Promise.all(Array.from({ length: largeConnections }, () => this.#sendLarge(5_000)))
    clearInterval(comesAndGoes)
    this.#machine?.room(0)
    const asked = effectsIn(this.#files.effects).asked.slice(before)
    this.#machine?.room(undefined)
    await this.#loaded(50)
    const kept = new Set(this.#rows('select id from fw_events').map(({ id }) => String(id)))
    this.#askedInVain += Math.max(
      0,
      asked.filter((id) => !kept.has(id)).length - connections - largeConnections,
    )
  }

  async #sendLarge(forMs: number): Promise<void> {
    const until = performance.now() + forMs
    while (this.#living !== undefined && performance.now() < until) {
      const { id, body } = this.#events.addLarge()
      if (await post(this.#living.url, body)) this.#events.acknowledge(id)
      await sleep(20)
    }
  }

  /** One event kills the process at every attempt, until it is given up: each of its leases has to expire first. */
  async #poison(): Promise<void> {
    let id = ''
    await this.#life(async () => {
      await this.#loaded()
      id = await this.#inject(killing)
    }, poisonLeaseMs)
    const until = performance.now() + poisonWithinMs
    while (performance.now() < until && !this.#gaveUp(id)) {
      await this.#life(() => this.#until(() => this.#gaveUp(id), 10 * poisonLeaseMs), poisonLeaseMs)
    }
    if (!this.#gaveUp(id)) this.#poisonLeft++
  }

  #gaveUp(id: string): boolean {
    if (!this.#events.isAcknowledged(id)) return false
    return (
      this.#rows(
        `select 1 from fw_deliveries d join fw_events e using (seq) where e.id = '${id}' and d.state = 'dead' and d.reason = 'crashed'`,
      ).length > 0
    )
  }

  /** Eight requests at once, a restart without load, eight in sequence: none may be left without an answer. Some times over. */
  async #restart(): Promise<void> {
    let running = await this.#start()
    for (let n = 0; n < restarts && running !== undefined; n++) running = await this.#restartOnce(running)
    running?.child.kill('SIGKILL')
    await running?.dead
  }

  async #restartOnce(before: Victim): Promise<Victim | undefined> {
    await using network = await slowNetwork(before.url) // At once, a closed connection is noticed sooner than it would be.
    await using sender = javaLikeSender(network.url)
    const send = async () => {
      const id = this.#events.add({})
      const body = this.#events.bodyOf(id)
      const headers = { 'content-type': 'application/json', authorization: apiKeyOfChaos }
      const status = await sender.post({ headers, body }).catch(() => undefined)
      if (status === undefined) this.#cutOff++
      if (status === 200) this.#events.acknowledge(id)
    }
    await Promise.all(Array.from({ length: 8 }, send))
    await sleep(50)
    before.child.kill('SIGTERM')
    const after = await this.#start({ port: Number(new URL(before.url).port) })
    if (after !== undefined) for (let n = 0; n < 8; n++) await send()
    await before.dead
    return after
  }

  /** Lets the process work, restarted when it dies, until nothing waits. */
  async settle(): Promise<void> {
    const until = performance.now() + patienceMs
    while (performance.now() < until) {
      const victim = await this.#start()
      while (this.#living !== undefined && performance.now() < until) {
        if (this.#waiting() === 0) return
        await sleep(200)
      }
      victim?.child.kill('SIGKILL')
      await victim?.dead
    }
  }

  async end(): Promise<void> {
    const living = this.#living
    living?.child.kill('SIGKILL')
    await living?.dead
  }

  #waiting(): number {
    const waiting = this.#rows(
      `select e.id from fw_deliveries d join fw_events e using (seq) where d.state in ('intake', 'parked', 'head')`,
    )
    return waiting.filter(({ id }) => this.#events.troubleOf(String(id)) !== postponing).length
  }

  #rows(sql: string): readonly Readonly<Record<string, unknown>>[] {
    using db = new DatabaseSync(this.#files.inbox, { readOnly: true, timeout: 5_000 })
    return db.prepare(sql).all()
  }

  verdict(): Omit<Verdict, 'kills'> {
    const ids = (sql: string) => this.#rows(sql).map(({ id }) => String(id))
    const kept = ids('select id from fw_events')
    const hasEffects = this.#rows("select 1 from sqlite_schema where name = 'effects'").length > 0
    const atomic = hasEffects ? ids('select id from effects') : []
    const dead = ids(
      `select distinct e.id from fw_deliveries d join fw_events e using (seq) where d.state = 'dead'`,
    )
    const bodiless = ids(`select id from fw_events where body is null`)
    return {
      faults: Object.fromEntries(this.#tally),
      acknowledged: this.#events.acknowledged.size,
      ...this.#events.judge({ kept, atomic, ...effectsIn(this.#files.effects), dead, bodiless }),
      uncaught: this.#uncaught,
      late: this.#late,
      askedInVain: this.#askedInVain,
      cutOff: this.#cutOff,
      stuck: this.#waiting() + this.#poisonLeft,
    }
  }
}

/** Whether it was answered 2xx. */
async function post(url: string, body: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: apiKeyOfChaos },
      body,
      signal: AbortSignal.timeout(20_000),
    })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
