import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ada, bob } from '../../examples/todo/people.ts'
import { startTodo } from '../../examples/todo/start-todo.ts'
import { breakTodos, mendTodos } from '../../examples/todo/todos.ts'
import { sample } from 'fusewire/testing'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-todo-'))
afterAll(() => rmSync(folder, { recursive: true }))

const key = 'the key of this test'

async function open() {
  const database = join(folder, `${crypto.randomUUID()}.db`)
  const todo = await startTodo({ port: 0, webhookKey: key, database })
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(todo.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  return {
    database,
    post,
    send: (event: object, authorization = key) => post('/fusionauth-webhook', { event }, { authorization }),
    titles: async (userId: string) => {
      const response = await fetch(`${todo.url}/todos?userId=${userId}`)
      return ((await response.json()) as { title: string }[]).map(({ title }) => title)
    },
    audit: async () => (await (await fetch(`${todo.url}/audit`)).json()) as object[],
    [Symbol.asyncDispose]: todo.stop,
  }
}

const deletion = (id = ada.id) => sample('user.delete', { user: { id } })

describe('the Todo example', () => {
  test('adds and lists todos, and says what it misses', async () => {
    await using t = await open()
    const created = await t.post('/todos', { userId: ada.id, title: 'Write Note G' })
    expect(created.status).toBe(201)
    expect(await created.json()).toMatchObject({ userId: ada.id, title: 'Write Note G' })
    expect(await t.titles(ada.id)).toEqual(['Write Note G'])
    expect(await t.titles(bob.id)).toEqual([])
    expect((await t.post('/todos', { userId: ada.id })).status).toBe(400)
    expect((await t.post('/todos', { title: 1, userId: '' })).status).toBe(400)
  })

  test("deletes a deleted user's todos and nobody else's", async () => {
    await using t = await open()
    for (const { id } of [ada, ada, bob]) await t.post('/todos', { userId: id, title: 'one' })
    expect((await t.send(deletion())).status).toBe(200)
    expect(await t.titles(ada.id)).toEqual([])
    expect(await t.titles(bob.id)).toEqual(['one'])
  })

  test.each([
    ['the wrong key', 'a guess'],
    ['no key', ''],
  ])('answers 401 to %s and deletes nothing', async (_, guess) => {
    await using t = await open()
    await t.post('/todos', { userId: ada.id, title: 'one' })
    const response = await t.send(deletion(), guess)
    expect(response.status).toBe(401)
    expect(await response.text()).toBe('{"errors":[{"code":"[notAuthorized]"}]}')
    expect(await t.titles(ada.id)).toEqual(['one'])
  })

  test('answers 500 when the database fails, deletes nothing, and deletes at a resend', async () => {
    await using t = await open()
    await t.post('/todos', { userId: ada.id, title: 'one' })
    const event = deletion()
    breakTodos(t.database)
    expect((await t.send(event)).status).toBe(500)
    expect(await t.titles(ada.id)).toEqual(['one'])
    mendTodos(t.database)
    expect((await t.send(event)).status).toBe(200)
    expect(await t.titles(ada.id)).toEqual([])
  })

  test('never takes a missing user id for every user', async () => {
    await using t = await open()
    await t.post('/todos', { userId: ada.id, title: 'one' })
    const { user: _, ...event } = deletion()
    expect((await t.send(event)).status).toBe(500)
    expect(await t.titles(ada.id)).toEqual(['one'])
  })

  test('writes one audit row for a deletion that was committed, however often it is told', async () => {
    await using t = await open()
    const event = sample('user.delete.complete', { user: { id: ada.id } })
    for (let times = 0; times < 3; times++) expect((await t.send(event)).status).toBe(200)
    for (let tries = 0; tries < 100 && (await t.audit()).length === 0; tries++) await sleep(20)
    expect(await t.audit()).toEqual([{ userId: ada.id, what: 'deleted', at: event.createInstant }])
  })
})
