import { afterAll, beforeAll, describe } from 'vitest'
import { survivesPoison } from '../deliver/crashes.ts'
import { inboxWith } from './inbox.ts'
import { anyServer, type Server } from './server.ts'

describe('on PostgreSQL', () => {
  let server: Server
  beforeAll(async () => {
    server = await anyServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  survivesPoison(async () => {
    const inbox = await inboxWith(server)
    return {
      engine: inbox.engine,
      place: { url: server.url, schema: inbox.name },
      [Symbol.asyncDispose]: () => inbox[Symbol.asyncDispose](),
    }
  })
})
