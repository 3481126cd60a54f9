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

      async function append(): Promise<{ us: number; count: number }> {
        let spent = 0
        let count = 0
        for (; spent < ms; count += batch) {
          const events = arrivals(batch)
          const began = performance.now()
          await engine.append(events)
          spent += performance.now() - began
        }
        return { us: (spent / count) * 1000, count }
      }

      /** Of the claims alone, what they admit included. */
      async function claim(count: number): Promise<number> {
        let spent = 0
        for (let left = count; left > 0;) {
          const began = performance.now()
          const { leases } = await engine.claim([{ handler: 'a', limit: batch }], 30_000)
          spent += performance.now() - began
          await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
          left -= leases.length
        }
        return (spent / count) * 1000
      }

      return {
        async measure() {
          const appended = await append()
          return { 'append µs/event': appended.us, 'claim µs/delivery': await claim(appended.count) }
        },
        async close() {
          await engine[Symbol.asyncDispose]()
        },
      }
    },
  }
}
