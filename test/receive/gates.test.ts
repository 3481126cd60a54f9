import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { apiKey, Denied, type GateContext, type GateOptions, type EventOf } from 'fusewire'
import { sample } from 'fusewire/testing'
import { describe, expect, test } from 'vitest'
import { bodyWith, door, good, key, userDelete } from '../support/door.ts'
import { rimNames } from '../support/rims.ts'
import { thenables } from '../support/thenables.ts'

type Decide = (context: GateContext<EventOf<'user.delete'>>) => unknown

const never = () => new Promise(() => {})
const block = (ms: number) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}
/** `Denied` from another copy of the package. */
const foreignDenied = () => Object.assign(new Error('not here'), { code: 'FW_DENIED' })

const verdicts: readonly { name: string; decide: Decide; status: number; code?: string }[] = [
  { name: 'returns', decide: () => {}, status: 200 },
  { name: 'returns false', decide: () => false, status: 500, code: 'FW_GATE_RESULT' },
  { name: 'resolves', decide: async () => pause(1), status: 200 },
  {
    name: 'throws Denied',
    decide: () => {
      throw new Denied('no')
    },
    status: 422,
    code: 'denied',
  },
  {
    name: 'rejects with Denied',
    decide: async () => {
      throw new Denied('no')
    },
    status: 422,
    code: 'denied',
  },
  {
    name: 'throws a Denied of another copy',
    decide: () => {
      throw foreignDenied()
    },
    status: 422,
    code: 'denied',
  },
  {
    name: 'throws an error',
    decide: () => {
      throw new Error('db is down')
    },
    status: 500,
    code: 'failed',
  },
  {
    name: 'throws a string',
    decide: () => {
      throw 'a string'
    },
    status: 500,
    code: 'failed',
  },
  {
    name: 'throws undefined',
    decide: () => {
      throw undefined
    },
    status: 500,
    code: 'failed',
  },
  {
    name: 'throws null',
    decide: async () => {
      throw null
    },
    status: 500,
    code: 'failed',
  },
  {
    name: 'throws what cannot be looked at',
    decide: () => {
      throw new Proxy(
        {},
        {
          has: () => {
            throw new Error('no')
          },
        },
      )
    },
    status: 500,
    code: 'failed',
  },
  {
    name: 'throws an error whose name is a symbol',
    decide: () => {
      throw Object.assign(new Error('x'), { name: Symbol('x') })
    },
    status: 500,
    code: 'failed',
  },
  { name: 'never settles', decide: never, status: 504, code: 'timeout' },
  ...thenables.map(({ name, of }) => ({
    name: `gives ${name} that never settles`,
    decide: () => of(never()),
    status: 504,
    code: 'timeout',
  })),
  { name: 'blocks the thread past the deadline', decide: () => block(120), status: 504, code: 'timeout' },
  {
    name: 'rejects after the deadline',
    decide: async () => {
      await pause(110)
      throw new Error('late')
    },
    status: 504,
    code: 'timeout',
  },
  { name: 'resolves after the deadline', decide: async () => pause(110), status: 504, code: 'timeout' },
]

/** A door with one gate, and what the gate saw. */
function gated(rim: 'fetch' | 'node', options: GateOptions, decide: Decide) {
  return door(rim, {
    gateTimeoutMs: 100,
    register: (webhook, ran) =>
      webhook
        .gate('user.delete', options, decide)
        .on('user.delete', { name: 'after', when: 'received' }, () => ran.push('handler')),
  })
}

describe.each(rimNames)('%s', (rim) => {
  test.each(verdicts)('answers $status when the gate $name', async ({ decide, status, code }) => {
    await using at = await gated(rim, {}, decide)
    const told = await at.send({ headers: good, body: userDelete() })
    expect(told.status).toBe(status)
    if (code !== undefined) expect(told.body).toContain(`"[${code}]"`)
    expect(at.ran).toEqual(status === 200 ? ['handler'] : [])
    await pause(20) // What rejects late must not surface: vitest fails on an unhandled rejection.
  })

  const failing = verdicts.filter(({ name, status }) => status >= 500 && !name.startsWith('blocks'))
  const deciding = verdicts.filter(({ status }) => status < 500)

  test.each(failing)('with onFailure allow, lets the event pass when the gate $name', async ({ decide }) => {
    await using at = await gated(rim, { onFailure: 'allow', timeoutMs: 50 }, decide)
    expect((await at.send({ headers: good, body: userDelete() })).status).toBe(200)
    expect(at.log.text()).toContain('a gate failed and is configured to allow')
  })

  test.each(deciding)(
    'with onFailure allow, answers $status when the gate $name',
    async ({ decide, status }) => {
      await using at = await gated(rim, { onFailure: 'allow', timeoutMs: 50 }, decide)
      expect((await at.send({ headers: good, body: userDelete() })).status).toBe(status)
    },
  )

  test('with onFailure allow, a gate that blocks the thread leaves the handler no time: 500', async () => {
    await using at = await gated(rim, { onFailure: 'allow', timeoutMs: 50 }, () => block(120))
    expect((await at.send({ headers: good, body: userDelete() })).status).toBe(500)
    expect(at.ran).toEqual([])
  })

  test('keeps the reason of a Denied out of the answer and in the log', async () => {
    await using at = await gated(rim, {}, () => {
      throw new Denied('address not allowed')
    })
    const told = await at.send({ headers: good, body: userDelete() })
    expect(told.body).not.toContain('address')
    expect(at.log.text()).toContain('address not allowed')
  })

  test('aborts the signal at the deadline, and never before', async () => {
    const seen: { aborted: boolean; reason?: unknown }[] = []
    await using at = await gated(rim, {}, async ({ signal, deadlineAt }) => {
      seen.push({ aborted: signal.aborted })
      expect(deadlineAt - Date.now()).toBeLessThanOrEqual(101)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      seen.push({ aborted: signal.aborted, reason: signal.reason })
    })
    expect((await at.send({ headers: good, body: userDelete() })).status).toBe(504)
    expect(seen).toEqual([
      { aborted: false },
      { aborted: true, reason: expect.objectContaining({ code: 'FW_GATE_TIMEOUT' }) },
    ])
  })

  test('asks gates in order, and the first no ends it', async () => {
    const asked: string[] = []
    await using at = await door(rim, {
      register: (webhook) =>
        webhook
          .gate('user.delete', { name: 'one' }, async () => {
            await pause(5)
            asked.push('one')
          })
          .gate(['user.create', 'user.delete'], { name: 'two' }, () => {
            asked.push('two')
            throw new Denied('no')
          })
          .gate('user.delete', { name: 'three' }, () => asked.push('three')),
    })
    expect((await at.send({ headers: good, body: userDelete() })).status).toBe(422)
    expect(asked).toEqual(['one', 'two'])
  })

  test('gives all gates one deadline: what the first has used, the second does not get', async () => {
    const left: number[] = []
    await using at = await door(rim, {
      gateTimeoutMs: 200,
      register: (webhook) =>
        webhook
          .gate('user.delete', ({ deadlineAt }) => {
            left.push(deadlineAt)
            return pause(120)
          })
          .gate('user.delete', ({ deadlineAt }) => {
            left.push(deadlineAt)
            return pause(120)
          }),
    })
    const startedAt = performance.now()
    expect((await at.send({ headers: good, body: userDelete() })).status).toBe(504)
    expect(performance.now() - startedAt).toBeLessThan(235)
    expect(left[0]).toBe(left[1])
  })

  test('does not start a gate or a handler when no time is left', async () => {
    const started: string[] = []
    await using at = await door(rim, {
      gateTimeoutMs: 50,
      register: (webhook) =>
        webhook
          .gate('user.delete', { name: 'slow', onFailure: 'allow' }, () => block(60))
          .gate('user.delete', { name: 'next', onFailure: 'allow' }, () => started.push('gate'))
          .on('user.delete', { when: 'received' }, () => started.push('handler')),
    })
    const { status } = await at.send({ headers: good, body: userDelete() })
    expect(status).not.toBe(200)
    expect(started).toEqual([])
  })

  test('answers 500 FW_SHAPE, asking no gate, when a promised path is missing', async () => {
    await using at = await door(rim, {
      register: (webhook, ran) => webhook.gate('user.delete', () => ran.push('gate')),
    })
    for (const user of [undefined, null, {}, { id: '' }, { id: 7 }, [], 'ada']) {
      const told = await at.send({ headers: good, body: bodyWith({ type: 'user.delete', user }) })
      expect(told.status).toBe(500)
      expect(told.body).toContain('"[FW_SHAPE]"')
      expect(told.body).toMatch(/lacks user(\.id)?,/)
    }
    expect(at.ran).toEqual([])
  })

  test('asks the gate of a type only for that type', async () => {
    await using at = await gated(rim, {}, () => {
      throw new Denied('no')
    })
    const event = sample('user.create', { id: randomUUID() })
    expect((await at.send({ headers: good, body: JSON.stringify({ event }) })).status).toBe(200)
  })

  test('the deadline counts the time that reading the secrets took', async () => {
    await using at = await door(rim, {
      gateTimeoutMs: 100,
      authenticate: apiKey(async () => {
        await pause(150)
        return key
      }),
      register: (webhook, ran) => webhook.gate('user.delete', ({ event }) => ran.push(event.type)),
    })
    // 503 when it is over before the secrets are there, 504 when the request is known by then.
    expect([503, 504]).toContain((await at.send({ headers: good, body: userDelete() })).status)
    expect(at.ran).toEqual([])
    await pause(100)
    expect((await at.send({ headers: good, body: userDelete() })).status).toBe(200)
  })
})
