import { afterAll, beforeAll, describe } from 'vitest'
import { postgres } from '../../src/engines/postgres/index.ts'
import type { PostgresSql } from '../../src/engines/postgres/index.ts'
import type { Engine } from '../../src/model/engine.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { holdsTheContract } from '../engines/contract.ts'
import { anyServer, query, schema, type Server } from './server.ts'
import { setTime } from './time.ts'

const byBytes = 'keeps its last fifth for transactional events, and prunes to leave it'

describe('postgres', () => {
  let server: Server
  beforeAll(async () => {
    server = await anyServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  holdsTheContract(
    async () => {
      const inbox = await schema(server)
      const engines: Engine[] = []
      let now = Date.UTC(2030, 0, 1)
      const clock = handClock(now)
      async function open(): Promise<Engine> {
        const engine = postgres(server.url, { schema: inbox.name, clock })
        engines.push(engine)
        await engine.open()
        await setTime(server.url, inbox.name, now)
        await query(server.url, `create table if not exists ${inbox.name}.notes (n serial, note text)`)
        return engine
      }
      return {
        open,
        async advance(ms) {
          now += ms
          await clock.advance(ms)
          await setTime(server.url, inbox.name, now)
        },
        async restartAhead(ms) {
          for (const engine of engines) await engine[Symbol.asyncDispose]()
          now += ms // The server's clock, and not the time that anything has run.
          return open()
        },
        notes: {
          async write(sql, note) {
            const transaction = sql as PostgresSql // What this engine gives its atomic handlers.
            await transaction.query(`insert into ${inbox.name}.notes (note) values ($1)`, [note])
          },
          async read() {
            const rows = await query(server.url, `select note from ${inbox.name}.notes order by n`)
            return rows.map(({ note }) => String(note))
          },
        },
        async [Symbol.asyncDispose]() {
          for (const engine of engines) await engine[Symbol.asyncDispose]()
          await inbox[Symbol.asyncDispose]()
        },
      }
    },
    {
      [byBytes]: 'an inbox on PostgreSQL is bounded by time alone',
    },
  )
})
