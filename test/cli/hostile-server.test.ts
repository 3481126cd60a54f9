import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { harmless, run } from './command.ts'
import { hostile } from './filled-inbox.ts'

const item = {
  createInstant: 0,
  tenantId: hostile,
  id: hostile,
  type: hostile,
  source: 'door',
  receivedAt: 1,
  size: 1,
  refused: hostile,
  deliveries: [],
  [hostile]: hostile,
}
const shown = {
  ...item,
  deliveries: [
    {
      handler: hostile,
      state: 'dead',
      attempts: 1,
      reason: hostile,
      failures: [{ at: 1, message: hostile }],
    },
  ],
  event: { [hostile]: hostile },
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
      types: [{ type: hostile, events: 1, lastHour: 1 }],
      handlers: [
        { handler: hostile, pending: 1, dead: 1, abandoned: false, blocked: [{ since: 1, pending: 1 }] },
      ],
      nodes: [{ id: hostile, host: hostile, pid: 1, startedAt: 1, handlers: [hostile] }],
    }),
  ],
  ['/fusewire/api/export', `${line}\n${line}`],
])

/** What looks like a text that was made printable, and is of another shape than any answer. */
const bait = { parts: [{ shown: hostile }], toString: 1 }
const wrongAnswers: readonly (readonly [string, readonly string[], unknown, string])[] = [
  ['events', ['list'], { items: [{ ...item, type: bait }] }, 'items.0.type is not string'],
  ['events', ['list'], { items: [{ ...item, gone: hostile }] }, 'items.0.gone is not ("pruned" |'],
  ['events', ['list'], { items: bait }, 'items is not Array'],
  ['events', ['list'], 'hunter2', 'the answer is not Object'],
  ['events', ['list'], { items: [], next: bait }, 'next is not string'],
  ['events', ['list'], [], 'items is missing'],
  ['events/x', ['show', 'x'], { ...shown, deliveries: [bait] }, 'deliveries.0.handler is missing'],
  ['events/x', ['show', 'x'], { ...shown, receivedAt: 'now' }, 'receivedAt is not number'],
  ['stats', ['stats'], {}, 'events is missing'],
  ['replay', ['replay', '--state', 'dead'], { deliveries: bait }, 'deliveries is not number'],
  ['prune', ['prune', '--before', '1d', '--yes'], { events: '1' }, 'events is not number'],
  [
    'erase',
    ['erase', 'x', '--yes'],
    { events: 0, deliveries: 0, bytes: hostile, unreached: [] },
    'bytes is not',
  ],
  [
    'erase',
    ['erase', 'x', '--yes'],
    { events: 0, deliveries: 0, bytes: 'scrubbed', unreached: [bait] },
    'unreached.0',
  ],
]

let overridden: readonly [path: string, answer: string] | undefined
const server = createServer(({ url = '' }, response) => {
  const path = url.split('?', 1)[0] ?? ''
  response.end((overridden?.[0] === path ? overridden[1] : answers.get(path)) ?? '{}')
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

test.each(wrongAnswers)('an answer of another form is refused: %s', async (path, args, answer, words) => {
  overridden = [`/fusewire/api/${path}`, JSON.stringify(answer)]
  const { code, out, err } = await inbox(...args)
  overridden = undefined
  expect([code, out]).toEqual([3, ''])
  expect(err).toContain('answers in a form this version does not know')
  expect(err).toContain(words)
  expect(harmless(err)).toBe(true)
  expect(err).not.toContain('parts')
})

test('members of a newer server stay in the JSON', async () => {
  overridden = ['/fusewire/api/events', JSON.stringify({ items: [{ ...item, color: 'new' }] })]
  const { out } = await inbox('list', '--json')
  overridden = undefined
  expect(JSON.parse(out)).toMatchObject({ color: 'new', type: hostile })
})

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
