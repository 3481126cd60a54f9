import type { Subject } from './benchmark.ts'

/** Counts how often a function runs in a second, in this process. A promise it returns is waited for; otherwise nothing is. */
export function timed(name: string, prepare: () => Call | Promise<Call>): Subject {
  return {
    name,
    async open({ ms }) {
      const call = await prepare()
      return {
        async measure() {
          const start = performance.now()
          let calls = 0
          let elapsed = 0
          while (elapsed < ms) {
            for (let look = 0; look < callsPerLook; look++) {
              const result = call(calls++)
              if (result instanceof Promise) await result
            }
            elapsed = performance.now() - start
          }
          return { 'per second': (calls / elapsed) * 1000 }
        },
      }
    },
  }
}

/** Called with 0, 1, 2 and so on. */
type Call = (n: number) => unknown

/** Looking at the clock is not what is measured. */
const callsPerLook = 16
