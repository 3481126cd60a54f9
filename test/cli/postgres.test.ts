import { afterAll, beforeAll, expect, test } from 'vitest'
import { sample } from 'fusewire/testing'
import { anyServer, query, schema, type Server } from '../postgres/server.ts'
import { run, start } from './command.ts'

let server: Server
beforeAll(async () => {
  server = await anyServer()
}, 60_000)
afterAll(() => server[Symbol.asyncDispose]())

const key = 'the key of this test'

test('serve keeps events in PostgreSQL, by the schema that was named, and inbox finds and erases them', async () => {
  await using at = await schema(server)
  const env = { DB: server.url, KEY: key }
  const args = ['--inbox', 'postgres:env:DB', '--schema', at.name]
  const running = start(['serve', '--port', '0', '--host', '127.0.0.1', '--api-key', 'env:KEY', ...args], {
    env,
  })
  const url = /http:[^"\s]+/.exec(await running.says('ready for events'))?.[0] ?? ''
  const headers = { 'content-type': 'application/json', authorization: key }
  const event = sample('user.create')
  const body = JSON.stringify({ event })
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200)
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)

  const inbox = (verb: string, ...more: readonly string[]) => run(['inbox', verb, ...more, ...args], { env })
  const { out, err } = await inbox('list')
  expect(err).toBe('')
  expect(out).toMatch(/user\.create +[0-9a-f-]{36} +unhandled/)
  expect(JSON.parse((await inbox('stats', '--json')).out)).toMatchObject({ events: 1 })
  expect((await inbox('export')).out).toContain('"type":"user.create"')
  const erased = await inbox('erase', event.user.id, '--yes', '--json')
  expect(JSON.parse(erased.out)).toMatchObject({ events: 1, bytes: 'overwritten later' })
}, 30_000)

test('looking makes no inbox', async () => {
  const name = `none_${crypto.randomUUID().replaceAll('-', '_')}`
  const { code, out, err } = await run(['inbox', 'list', '--inbox', 'postgres:env:DB', '--schema', name], {
    env: { DB: server.url },
  })
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err).toContain('There is no inbox at postgres:env:DB')
  expect(await query(server.url, 'select 1 from pg_namespace where nspname = $1', [name])).toEqual([])
})

test('a wrong password is not repeated', async () => {
  const url = new URL(server.url)
  url.password = 'hunter2-hunter2'
  url.username = 'nobody-at-all'
  const { code, err } = await run(['inbox', 'list', '--inbox', 'postgres:env:DB', '--debug'], {
    env: { DB: url.href },
  })
  expect(code).toBe(3)
  expect(err).toContain('cannot be opened')
  expect(err).not.toContain('hunter2')
})
