import { describe } from 'vitest'
import { memory } from '../../src/engines/memory/engine.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { holdsTheContract } from './contract.ts'

describe('memory', () => {
  holdsTheContract(
    async () => {
      const clock = handClock()
      const engine = memory({ clock })
      return {
        open: async () => engine,
        advance: (ms) => clock.advance(ms),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      }
    },
    {
      sharing: 'a memory inbox is one engine',
      notes: 'memory has no transaction to offer',
      restarts: 'a memory inbox ends with its process',
    },
  )
})
