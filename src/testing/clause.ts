import assert from 'node:assert/strict'
import type { Claimed } from '../model/claimed.ts'
import type { Failure, Outcome } from '../model/outcome.ts'
import type { Lease } from '../model/lease.ts'
import type { Subscription } from '../model/subscription.ts'
import type { Engine, Settled } from '../model/engine.ts'

/** One promise of the engine port, for any test runner: call `run` with a new subject. */
export interface Clause {
  readonly name: string
  /** What the subject must offer. A runner that does not offer it skips the clause, with a reason. */
  readonly needs?: 'sharing' | 'notes' | 'tending' | 'restarts'
  readonly run: (subject: ContractSubject) => Promise<void>
}

/** The engine under test, on a store that is empty at first. */
export interface ContractSubject {
  /** Opens an engine on the store. With `sharing`, each call opens another one. The subject disposes them. */
  readonly open: () => Promise<Engine>
  /** Advances the clock of the store. */
  readonly advance: (ms: number) => Promise<void>
  /** Opens an engine after a restart that set the clock `ms` ahead, although that time has not passed. */
  readonly restartAhead?: (ms: number) => Promise<Engine>
  /** A table for atomic handlers to write to. Absent where the engine has no `atomic`. */
  readonly notes?: Notes
}

export interface Notes {
  /** Writes in the handler's transaction. The handler must return what this returns. */
  readonly write: (sql: unknown, note: string) => unknown
  /** All notes, in the order of writing. */
  readonly read: () => Promise<readonly string[]>
}

export const leaseMs = 30_000

export function clause(name: string, run: Clause['run']): Clause {
  return { name, run }
}

export function sharingClause(name: string, run: Clause['run']): Clause {
  return { name, needs: 'sharing', run }
}

export function atomicClause(
  name: string,
  run: (subject: ContractSubject, notes: Notes) => Promise<void>,
): Clause {
  return {
    name,
    needs: 'notes',
    run(subject) {
      assert.ok(subject.notes, 'this clause needs notes')
      return run(subject, subject.notes)
    },
  }
}

export function subscription(handler: string): Subscription {
  return { handler, types: '*', ordering: 'lane' }
}

export async function subscribed(engine: Engine, ...handlers: readonly string[]): Promise<Engine> {
  await engine.subscribe(handlers.map(subscription))
  return engine
}

export const failure: Failure = {
  at: 1_900_000_000_000,
  message: 'it failed',
  stack: 'Error: it failed\n    at handler',
}

export async function claimOne(engine: Engine): Promise<Lease> {
  const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], leaseMs)
  assert.ok(leases[0], 'nothing to claim')
  return leases[0]
}

export function settle(
  engine: Engine,
  leases: readonly Lease[],
  outcome: Outcome,
): Promise<readonly Settled[]> {
  return engine.settle(leases.map((lease) => ({ lease, outcome })))
}

/** Claims and settles as succeeded until nothing is due. Returns all leases, in order. */
export async function drain(engine: Engine, handler: string): Promise<readonly Lease[]> {
  const drained: Lease[] = []
  let claimed: Claimed
  do {
    claimed = await engine.claim([{ handler, limit: 3 }], leaseMs)
    await settle(engine, claimed.leases, { kind: 'succeeded' })
    drained.push(...claimed.leases)
  } while (claimed.leases.length > 0 || claimed.nextInMs === 0)
  return drained
}

export function idsOf(leases: readonly Lease[]): readonly string[] {
  return leases.map(({ event }) => event.key.id)
}

/** Near, because a store with its own clock advances during the test. */
export function assertNear(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1_000, `${actual} is not near ${expected}`)
}

export function createSignal(): { readonly call: () => void; readonly called: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { call: resolve, called: promise }
}
