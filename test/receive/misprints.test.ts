import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'

const key = 'the key of this test'

test('a misspelled type is logged once, and handled as the correct one', async () => {
  const told: string[] = []
  const log = {
    info: () => {},
    warn: (_: object, message: string) => void told.push(message),
    error: () => {},
  }
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log })
  const handled: string[] = []
  webhook.on('user.two-factor.failed-attempt', ({ event }) => void handled.push(event.type))

  for (const id of ['1', '2']) {
    const event = { type: 'user.two-factor.failed.attempt', id, createInstant: 1, user: { id: 'ada' } }
    const headers = { authorization: key, 'content-type': 'application/json' }
    await webhook.fetch(
      new Request('http://localhost/', { method: 'POST', headers, body: JSON.stringify({ event }) }),
    )
  }

  expect(handled).toEqual(['user.two-factor.failed-attempt', 'user.two-factor.failed-attempt'])
  expect(told.filter((message) => message.includes('misspelling'))).toHaveLength(1)
})
