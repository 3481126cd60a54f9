import { fork, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ChaosOptions {
  readonly kills: number
  /** Answers before the commit, to see that the chaos notices. */
  readonly sabotage?: 'answer-early'
  readonly progress?: (kills: number) => void
}

export interface Verdict {
  readonly kills: number
  /** Events that were answered 2xx. */
  readonly acknowledged: number
  /** Of these, not in the inbox, or in it without an effect of every handler. */
  readonly lost: number
  /** Kept twice, or with two effects of the atomic handler. */
  readonly repeated: number
  /** Further effects of the handler that may be repeated. */
  readonly again: number
}

const connections = 16
const users = 40

/**
 * A receiver and its worker under load are killed at random instants and started again on the same inbox; unacknowledged events are sent
 * again, and so are some acknowledged ones, as FusionAuth would. In the end the inbox is drained and looked into.
 */
export async function chaos({ kills, sabotage, progress }: ChaosOptions): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-chaos-'))
  const inboxFile = join(folder, 'inbox.db')
  const effectsFile = join(folder, 'effects')
  const start = () => startVictim([inboxFile, effectsFile, ...(sabotage === undefined ? [] : [sabotage])])
  const acknowledged = new Set<string>()
  let unanswered: string[] = []
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const { child, url } = await start()
      const dead = once(child, 'exit')
      const again = [...unanswered, ...[...acknowledged].slice(-5)]
      unanswered = []
      const load = Promise.all(
        Array.from({ length: connections }, async () => {
          while (child.exitCode === null && child.signalCode === null) {
            const id = again.pop() ?? randomUUID()
            if (await send(url, id)) acknowledged.add(id)
            else unanswered.push(id)
          }
        }),
      )
      await sleep(20 + Math.random() * 400)
      child.kill('SIGKILL')
      await dead
      await load
      progress?.(kill)
    }
    await finish(start())
    return judge(kills, acknowledged, inboxFile, effectsFile)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function startVictim(args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(new URL('victim.ts', import.meta.url), args, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [url] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the victim did not start'))),
  ])) as [string] // What the victim sends first.
  return { child, url }
}

/** Whether it was answered 2xx. */
async function send(url: string, id: string): Promise<boolean> {
  const user = `user-${Number.parseInt(id.slice(0, 8), 16) % users}` // Sent again, it is the same event.
  const event = { type: 'user.update.complete', id, createInstant: 1_800_000_000_000, user: { id: user } }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'a key for chaos only' },
      body: JSON.stringify({ event }),
      signal: AbortSignal.timeout(5000),
    })
    return response.ok
  } catch {
    return false
  }
}

async function finish(starting: ReturnType<typeof startVictim>): Promise<void> {
  const { child } = await starting
  const gone = once(child, 'exit')
  child.send('drain and stop')
  await gone
}

function judge(
  kills: number,
  acknowledged: ReadonlySet<string>,
  inboxFile: string,
  effectsFile: string,
): Verdict {
  using db = new DatabaseSync(inboxFile, { readOnly: true })
  const kept = countsOf(
    db
      .prepare('select id from fw_events')
      .all()
      .map(({ id }) => String(id)),
  )
  const atomic = countsOf(
    db
      .prepare('select id from effects')
      .all()
      .map(({ id }) => String(id)),
  )
  const plain = countsOf(existsSync(effectsFile) ? readFileSync(effectsFile, 'utf8').trim().split('\n') : [])
  const everywhere = (id: string) => [kept, atomic, plain].every((counts) => counts.has(id))
  return {
    kills,
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((id) => !everywhere(id)).length,
    repeated: moreThanOnce(kept) + moreThanOnce(atomic),
    again: moreThanOnce(plain),
  }
}

function countsOf(ids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

function moreThanOnce(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].filter((count) => count > 1).length
}
