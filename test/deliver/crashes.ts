import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import type { CrashingPlan } from './children/crashing.ts'

/** An inbox that this process and a child each open by themselves. */
export interface SharedInbox extends AsyncDisposable {
  readonly engine: Engine
  readonly place: CrashingPlan['inbox']
}

const leaseMs = 1_000

interface Printed {
  readonly began?: string
  readonly ended?: string
  readonly attempt?: number
  /** Epoch ms. */
  readonly at?: number
}

function startChild(plan: Omit<CrashingPlan, 'leaseMs'>, told: (printed: Printed) => void): ChildProcess {
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      new URL('children/crashing.ts', import.meta.url).pathname,
      JSON.stringify({ ...plan, leaseMs }),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => told(JSON.parse(line)))
  }
  return child
}

/** Starts the process again until it ends by itself. Gives how often it was killed, and what it printed. */
async function restartUntilQuiet(
  plan: Omit<CrashingPlan, 'leaseMs'>,
): Promise<{ readonly crashes: number; readonly began: readonly Printed[] }> {
  const began: Printed[] = []
  for (let crashes = 0; crashes < 20; crashes++) {
    const child = startChild(plan, (printed) => {
      if (printed.began !== undefined) began.push(printed)
    })
    const [code, signal] = await once(child, 'close')
    if (signal === null) {
      expect(code).toBe(0)
      return { crashes, began }
    }
  }
  throw new Error('the process was killed again and again')
}

async function appendUsers(engine: Engine, handlers: readonly string[], count: number): Promise<void> {
  await engine.subscribe(handlers.map((handler) => ({ handler, types: '*', ordering: 'lane' })))
  await engine.append(
    Array.from({ length: count }, (_, n) => {
      const event = { type: 'user.update.complete', id: `${n}`, createInstant: 1, user: { id: `user ${n}` } }
      return arrival(`${n}`, { lane: `user ${n}`, body: Buffer.from(JSON.stringify({ event })) })
    }),
  )
}

/** What became of each delivery, as `handler id: state reason`. */
async function ends(engine: Engine, count: number): Promise<readonly string[]> {
  const kept = await Promise.all(Array.from({ length: count }, (_, n) => engine.get(arrival(`${n}`).key)))
  return kept.flatMap((event, n) =>
    (event?.deliveries ?? []).map(
      ({ handler, state, reason }) => `${handler} ${n}: ${state}${reason === undefined ? '' : ` ${reason}`}`,
    ),
  )
}

/** Tests for an inbox whose processes are killed by what they handle. */
export function survivesPoison(open: () => Promise<SharedInbox>): void {
  test('of sixteen events the one that kills its process ends as a dead letter, the others succeed', async () => {
    await using inbox = await open()
    await appendUsers(inbox.engine, ['h'], 16)
    const { crashes, began } = await restartUntilQuiet({
      inbox: inbox.place,
      handlers: [{ name: 'h' }],
      guilty: ['h 11'],
      takesMs: 400,
    })
    const ended = await ends(inbox.engine, 16)
    expect(ended.filter((end) => !end.endsWith('succeeded'))).toEqual(['h 11: dead crashed'])
    expect(ended).toHaveLength(16)
    expect(crashes).toBeLessThanOrEqual(7) // Sixteen, eight, four, two, and three times one.
    const attempts = began.filter((one) => one.began === 'h 11').map(({ attempt }) => attempt)
    expect(attempts).toEqual(attempts.map((_, index) => index + 1))
  }, 120_000)

  test('two that kill their process, of two handlers, and an attempt that may be made once', async () => {
    await using inbox = await open()
    await appendUsers(inbox.engine, ['a', 'b', 'once'], 5)
    const { crashes, began } = await restartUntilQuiet({
      inbox: inbox.place,
      handlers: [{ name: 'a' }, { name: 'b' }, { name: 'once', maxAttempts: 1 }],
      guilty: ['a 1', 'b 3'],
      takesMs: 400,
    })
    const ended = await ends(inbox.engine, 5)
    expect(ended.filter((end) => end.includes('crashed'))).toEqual(['a 1: dead crashed', 'b 3: dead crashed'])
    for (const end of ended.filter((one) => one.startsWith('once'))) {
      expect(end).toMatch(/succeeded|dead interrupted/)
    }
    const runs = began.filter((one) => one.began?.startsWith('once'))
    expect(new Set(runs.map((one) => one.began)).size).toBe(runs.length)
    expect(ended.filter((end) => end.endsWith('succeeded') && !end.startsWith('once'))).toHaveLength(8)
    expect(crashes).toBeLessThanOrEqual(14)
  }, 120_000)

  test('a handler that blocks its thread for longer than a lease lets no attempt of another run twice at once', async () => {
    await using inbox = await open()
    await appendUsers(inbox.engine, ['blocks', 'other'], 1)
    const plan = { inbox: inbox.place, handlers: [{ name: 'blocks' }, { name: 'other' }], guilty: [] }
    const printed: Printed[] = []
    const second = startChild({ ...plan, takesMs: 2_500, waits: true }, (line) => printed.push(line))
    const first = startChild(
      { ...plan, takesMs: 200, blocks: { handler: 'blocks', ms: 3 * leaseMs } },
      (line) => {
        printed.push(line)
        if (line.began === 'blocks 0') second.stdin?.end()
      },
    )
    await Promise.all([once(first, 'close'), once(second, 'close')])

    expect(await ends(inbox.engine, 1)).toEqual(['blocks 0: succeeded', 'other 0: succeeded'])
    const runs = printed
      .filter(({ began }) => began === 'other 0')
      .map(({ attempt, at = 0 }) => {
        const end = printed.find((line) => line.ended === 'other 0' && line.attempt === attempt)
        return { from: at, to: end?.at ?? Infinity }
      })
      .toSorted((a, b) => a.from - b.from)
    runs.slice(1).forEach(({ from }, index) => expect(from).toBeGreaterThanOrEqual(runs[index]?.to ?? 0))
  }, 60_000)
}
