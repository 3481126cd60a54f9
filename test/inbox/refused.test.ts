import { expect, test } from 'vitest'
import { memory } from '../../src/engines/memory/engine.ts'
import { apiKey, Denied, Webhook } from '../../src/index.ts'
import { request } from '../../src/testing/index.ts'

const key = 'a key of sixteen bytes'

test('remembers what a gate refused and why, delivers nothing of it, and asks again when it comes again', async () => {
  let allowed = false
  const seen: string[] = []
  const webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: memory(),
    log: { info() {}, warn() {}, error() {} },
  })
  webhook.gate('user.create', { name: 'domains' }, () => {
    seen.push('asked')
    if (!allowed) throw new Denied('address not allowed')
  })
  webhook.on('user.create', { when: 'received' }, () => void seen.push('handled'))
  const event = { id: 'ea5e0000-0000-4000-8000-000000000001', createInstant: Date.now() }
  const send = () => webhook.fetch(request('user.create', event, { apiKey: key }))

  expect((await send()).status).toBe(422)
  await webhook.drain()
  const refused = await webhook.inbox.get(event.id)
  expect(refused?.refused).toContain('address not allowed')
  expect(refused?.deliveries).toEqual([])

  allowed = true
  expect((await send()).status).toBe(200)
  await webhook.drain()
  expect(seen).toEqual(['asked', 'asked', 'handled'])
  const kept = await webhook.inbox.get(event.id)
  expect(kept?.refused).toBeUndefined()
  expect(kept?.deliveries).toMatchObject([{ state: 'succeeded' }])
  await webhook.stop()
})
