import { DatabaseSync } from 'node:sqlite'
import { apiKey, Webhook } from 'fusewire'
import { sqlite } from 'fusewire/sqlite'
import { request, sample } from 'fusewire/testing'
import { expect, test } from 'vitest'
import { place } from '../engines/places.ts'

const key = 'a key of sixteen bytes'

function open(file: string, handled: string[]): Webhook {
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: sqlite(file) })
  webhook.on('user.update.complete', ({ event }) => handled.push(event.id))
  return webhook
}

/** Sends an event with an id of its own and gives that id once it is acknowledged. */
async function send(webhook: Webhook): Promise<string> {
  const event = sample('user.update.complete', { id: crypto.randomUUID() })
  const headers = { authorization: key }
  const { status } = await webhook.fetch(request('user.update.complete', event, { headers }))
  expect(status).toBe(200)
  return event.id
}

test('a copy taken by "vacuum into" beside a receiver holds all it had acknowledged, and delivers what was pending', async () => {
  using original = place()
  using copy = place()
  const handled: string[] = []
  const webhook = open(original.file, handled)
  const first = await send(webhook)
  await webhook.drain()
  const second = await send(webhook)

  const shell = new DatabaseSync(original.file)
  shell.exec(`vacuum into '${copy.file}'`)
  shell.close()
  const later = await send(webhook)
  await webhook.stop()

  const handledByCopy: string[] = []
  const restored = open(copy.file, handledByCopy)
  await restored.drain()
  expect(handled).toEqual([first])
  expect(handledByCopy).toEqual([second])
  expect(await restored.inbox.get(first)).toBeDefined()
  expect(await restored.inbox.get(later)).toBeUndefined()
  await restored.stop()
})
