import type { Subject } from '../lib/benchmark.ts'
import { type Build, importFrom } from '../lib/build.ts'
import { cpuSince } from '../lib/cpu.ts'
import { arrivals } from './events.ts'

/** About what shares a commit at 32 connections. */
const batch = 24

/** What the engine alone takes to append an event, and to claim one, in an inbox that holds what it holds. */
export function stored(name: string, fileOf: (quick: boolean, build: Build) => Promise<string>): Subject {
  return {
    name,
    async open({ ms, quick, build }) {
      const { sqlite } = await importFrom(build, './sqlite')
      const engine = sqlite(await fileOf(quick, build), { allowVolatile: true })

      async function append(): Promise<Spent> {
        let spent = 0
        let cpuMs = 0
        let count = 0
        for (; spent < ms; count += batch) {
          const events = arrivals(batch)
          const began = performance.now()
          const cpu = process.cpuUsage()
          await engine.append(events)
          spent += performance.now() - began
          cpuMs += cpuSince(cpu)
        }
        return { us: (spent / count) * 1000, cpuUs: (cpuMs / count) * 1000 }
      }

      /** Of the claims alone, what they admit included; until nothing waits. */
      async function claimAll(): Promise<Spent> {
        let spent = 0
        let cpuMs = 0
        let count = 0
        for (;;) {
          const began = performance.now()
          const cpu = process.cpuUsage()
          const { leases } = await engine.claim([{ handler: 'a', limit: batch }], 30_000)
          spent += performance.now() - began
          cpuMs += cpuSince(cpu)
          if (leases.length === 0) return { us: (spent / count) * 1000, cpuUs: (cpuMs / count) * 1000 }
          await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
          count += leases.length
        }
      }

      return {
        async measure() {
          await claimAll() // What another subject has left in this inbox.
          const [appended, claimed] = [await append(), await claimAll()]
          return {
            'append µs/event': appended.us,
            'CPU µs/append': appended.cpuUs,
            'claim µs/delivery': claimed.us,
            'CPU µs/claim': claimed.cpuUs,
          }
        },
        async close() {
          await engine[Symbol.asyncDispose]()
        },
      }
    },
  }
}

/** Of one event. */
interface Spent {
  readonly us: number
  readonly cpuUs: number
}
