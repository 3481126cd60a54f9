import { describe } from 'vitest'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { place } from '../engines/places.ts'
import { survivesPoison } from './crashes.ts'

describe('on SQLite', () =>
  survivesPoison(async () => {
    const at = place()
    const engine = sqlite(at.file, { allowVolatile: true })
    return {
      engine,
      place: { file: at.file },
      async [Symbol.asyncDispose]() {
        await engine[Symbol.asyncDispose]()
        at[Symbol.dispose]()
      },
    }
  }))
