import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { memory } from 'fusewire/testing'
import { internals } from '../../src/webhook/webhook-internals.ts'
import { good, key, userDelete } from '../support/door.ts'

const broken = () => {
  throw new Error('the meter is broken')
}

test.each(['memory', 'none'] as const)(
  'an observer that throws costs no request its answer, inbox %s',
  async (name) => {
    const options = { authenticate: apiKey(key) }
    const webhook =
      name === 'none'
        ? new Webhook({ ...options, inbox: 'none' })
        : new Webhook({ ...options, inbox: memory() })
    webhook[internals].observe({ answered: broken, attempted: broken, synced: broken, crashed: broken })
    const request = new Request('http://localhost/', {
      method: 'POST',
      headers: good,
      body: userDelete(),
    })
    expect((await webhook.fetch(request)).status).toBe(200)
    await webhook.stop()
  },
)
