import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { postgres } from '../../src/engines/postgres/index.ts'
import { storesEveryOutcome } from '../deliver/outcomes.ts'
import { anyServer, schema, type Server } from './server.ts'

describe('on PostgreSQL', () => {
  let server: Server
  const inboxes: (AsyncDisposable & { readonly name: string })[] = []
  beforeAll(async () => {
    server = await anyServer()
    for (let test = 0; test < 2; test++) inboxes.push(await schema(server))
  })
  afterAll(() => server[Symbol.asyncDispose]())

  storesEveryOutcome(() => {
    const inbox = inboxes.pop()
    if (inbox === undefined) throw new Error('make one more schema for each test')
    onTestFinished(() => inbox[Symbol.asyncDispose]())
    return postgres(server.url, { schema: inbox.name })
  })
})
