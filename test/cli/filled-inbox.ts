import { apiKey, Permanent, Webhook } from 'fusewire'
import { sqlite } from 'fusewire/sqlite'
import { sample } from 'fusewire/testing'

/** What a terminal would obey, in one name. */
export const hostile = '\u001b[2J\u001b]52;c;cHduZWQ=\u0007\u001b]8;;x\u0007\u009b2J\r\u202e\u200b'

export const ids = {
  dead: '00000000-0000-4000-8000-00000000000d',
  well: '00000000-0000-4000-8000-00000000000a',
  hostile: '00000000-0000-4000-8000-00000000000b',
  refused: '00000000-0000-4000-8000-00000000000c',
} as const

export const ada = 'ada00000-0000-4000-8000-000000000001'
const eve = 'e7e00000-0000-4000-8000-000000000001'

/** Makes an inbox of four events: one handled, one given up, one that says what it should not, one refused. */
export async function fill(file: string): Promise<void> {
  const webhook = receiver(file)
  const send = async (event: object) => {
    const request = new Request('http://localhost/', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: key },
      body: JSON.stringify({ event }),
    })
    await webhook.fetch(request)
  }
  await send(sample('user.create.complete', { id: ids.well, user: { id: ada } }))
  await send(sample('user.delete.complete', { id: ids.dead, user: { id: ada } }))
  await send({
    ...sample('user.create.complete', { id: ids.hostile, user: { id: eve, fullName: hostile } }),
    note: 'x'.repeat(1_000_000),
  })
  await send(sample('user.create', { id: ids.refused, user: { id: eve } }))
  await webhook.drain()
  await webhook.stop()
}

export const key = 'the key of these tests'

/** The receiver whose inbox it is. */
export function receiver(file: string): Webhook {
  const webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: sqlite(file, { allowVolatile: true }),
    log: { info: () => {}, warn: () => {}, error: () => {} },
  })
  webhook.gate('user.create', () => {
    throw new Error(`no, ${hostile}`)
  })
  webhook.on('user.create.complete', { name: 'mail' }, () => {})
  webhook.on('user.delete.complete', { name: 'crm' }, () => {
    throw new Permanent(`the CRM says ${hostile}`)
  })
  return webhook
}
