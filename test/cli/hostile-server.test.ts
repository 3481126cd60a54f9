import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { harmless, run } from './command.ts'
import { hostile } from './filled-inbox.ts'

/** What looks like a text that was made printable. */
const bait = { parts: [{ shown: hostile }], toString: 1 }
const item = { type: bait, id: bait, gone: bait, receivedAt: 1, deliveries: [] }
const shown = {
  ...item,
  tenantId: bait,
  source: 'door',
  createInstant: 0,
  size: 1,
  gone: undefined,
  deliveries: [{ handler: bait, state: 'dead', attempts: bait, failures: [{ at: 1, message: bait }] }],
}
/** A name with the separators that end a line for some, and not in JSON. */
const line = JSON.stringify({ body: '{"name":"ada\u2028[1]\u2029\u0085eve"}' })
const answers = new Map<string, string>([
  ['/fusewire/api/events', JSON.stringify({ items: [item] })],
  ['/fusewire/api/events/x', JSON.stringify(shown)],
  [
    '/fusewire/api/stats',
    JSON.stringify({
      events: 1,
      bytes: 1,
      aside: 0,
      types: [{ type: bait, events: 1, lastHour: 1 }],
      handlers: [],
      nodes: [],
    }),
  ],
  ['/fusewire/api/export', `${line}\n${line}`],
])

const server = createServer(({ url = '' }, response) => {
  response.end(answers.get(url.split('?', 1)[0] ?? '') ?? '{}')
})
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => server.close())

function inbox(...args: readonly string[]) {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // A listening TCP server has one.
  return run(['inbox', ...args, '--server', url, '--token', 'env:TOKEN'], {
    env: { TOKEN: 'a-token-of-some-length' },
  })
}

test.each([['list'], ['show', 'x'], ['stats']])(
  'nothing that a server answers reaches the terminal: %s',
  async (...args) => {
    const { code, out, err } = await inbox(...args)
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(harmless(out)).toBe(true)
  },
)

test('an event is one line of an export, whatever is in it', async () => {
  const { out, err } = await inbox('export')
  expect(err).toBe('2 events\n')
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each)),
  ).toEqual([JSON.parse(line), JSON.parse(line)])
})
