import { DatabaseSync } from 'node:sqlite'
import { describe } from 'vitest'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import type { SqliteSql } from '../../src/engines/sqlite/index.ts'
import type { Engine } from '../../src/model/engine.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { holdsTheContract } from './contract.ts'
import { place } from './places.ts'

describe('sqlite', () => {
  holdsTheContract(async () => {
    let clock = handClock()
    const { file, [Symbol.dispose]: remove } = place()
    const engines: Engine[] = []
    async function open(): Promise<Engine> {
      const engine = sqlite(file, { clock, allowVolatile: true })
      engines.push(engine)
      await engine.open()
      return engine
    }
    return {
      open,
      advance: (ms) => clock.advance(ms),
      async restartAhead(ms) {
        for (const engine of engines) await engine[Symbol.asyncDispose]()
        clock = handClock(clock.now() + ms, 2)
        return open()
      },
      notes: {
        write(sql, note) {
          const db = sql as SqliteSql // What this engine gives its atomic handlers.
          db.exec('create table if not exists notes (note text)')
          db.prepare('insert into notes values (?)').run(note)
        },
        async read() {
          using db = new DatabaseSync(file)
          return db
            .prepare('select note from notes order by rowid')
            .all()
            .map(({ note }) => String(note))
        },
      },
      async [Symbol.asyncDispose]() {
        for (const engine of engines) await engine[Symbol.asyncDispose]()
        remove()
      },
    }
  })
})
