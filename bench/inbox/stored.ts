import { sqlite } from '../../src/engines/sqlite/index.ts'
import type { Subject } from '../lib/benchmark.ts'
import { arrivals } from './events.ts'

/** About what shares a commit at 32 connections. */
const batch = 24

/** What the engine alone takes to append an event, and to claim one, in an inbox that holds what it holds. */
export function stored(name: string, fileOf: (quick: boolean) => Promise<string>): Subject {
  return {
    name,
    async open({ ms, quick }) {
      const engine = sqlite(await fileOf(quick), { allowVolatile: true })

      async function append(): Promise<number> {
        let spent = 0
        let count = 0
        for (; spent < ms; count += batch) {
          const events = arrivals(batch)
          const began = performance.now()
          await engine.append(events)
          spent += performance.now() - began
        }
        return (spent / count) * 1000
      }

      /** Of the claims alone, what they admit included; until nothing waits. */
      async function claimAll(): Promise<number> {
        let spent = 0
        let count = 0
        for (;;) {
          const began = performance.now()
          const { leases } = await engine.claim([{ handler: 'a', limit: batch }], 30_000)
          spent += performance.now() - began
          if (leases.length === 0) return (spent / count) * 1000
          await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
          count += leases.length
        }
      }

      return {
        async measure() {
          await claimAll() // What another subject has left in this inbox.
          return { 'append µs/event': await append(), 'claim µs/delivery': await claimAll() }
        },
        async close() {
          await engine[Symbol.asyncDispose]()
        },
      }
    },
  }
}
