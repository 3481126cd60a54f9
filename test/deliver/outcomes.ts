import { expect, test } from 'vitest'
import { RetryLater } from '../../src/model/errors.ts'
import { handlerNamed, rig } from './rig.ts'

/** What a handler may throw, whose delivery must end as a failed attempt like any other. */
const thrown: readonly (readonly [name: string, make: () => unknown])[] = [
  ['RetryLater after 1e23 ms', () => new RetryLater({ afterMs: 1e23 })],
  ['a look-alike of RetryLater without a time', () => ({ code: 'FW_RETRY_LATER', when: null })],
  ['a look-alike whose time is an object', () => ({ code: 'FW_RETRY_LATER', when: { afterMs: {} } })],
  ['a look-alike whose time cannot be read', () => hostile({ code: 'FW_RETRY_LATER' })],
  ['RetryLater at an invalid date', () => new RetryLater({ at: new Date('never') })],
  ['RetryLater of a header that is not there', () => new RetryLater({ afterMs: Number(undefined) * 1000 })],
  ['RetryLater of nothing', () => new RetryLater(JSON.parse('null'))],
  ['an Error whose stack is a number', () => Object.assign(new Error('no'), { stack: 17 })],
  ['an Error whose stack is a circle', () => withCircularStack()],
  ['an Error whose message is a symbol', () => Object.assign(new Error('no'), { message: Symbol('no') })],
  ['an Error with NUL and half a character', () => new Error('\0\ud800')],
  ['a Proxy that refuses everything', () => hostile({})],
  ['a symbol', () => Symbol('no')],
  ['a function', () => () => {}],
  ['a bigint', () => 1n],
  ['an object without a prototype', () => Object.create(null)],
  ['null', () => null],
]

function hostile(target: object): unknown {
  const refuse = () => {
    throw new Error('hands off')
  }
  return new Proxy(target, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse })
}

function withCircularStack(): Error {
  const stack: unknown[] = [1n]
  stack.push(stack)
  return Object.assign(new Error('no'), { stack })
}

/** Tests for a worker over an engine that stores outcomes in typed columns. */
export function storesEveryOutcome(make: Parameters<typeof rig>[0]): void {
  test('whatever one handler throws, its neighbours are settled and it is retried', async () => {
    await using t = await rig(
      make,
      [
        handlerNamed('throws', ({ event }) => Promise.reject(thrown[Number(event.id)]?.[1]())),
        handlerNamed('neighbour', () => {}),
      ],
      thrown.length,
    )
    await t.append(...thrown.map((_, index) => ({ id: `${index}` })))
    const drained = await t.worker.drain(Infinity)
    expect(drained).toMatchObject({ succeeded: thrown.length, dead: 0 })
    for (const [index, [name]] of thrown.entries()) {
      expect(`${name}: ${await t.state(`${index}`, 'neighbour')}`).toBe(`${name}: succeeded`)
      expect(`${name}: ${await t.state(`${index}`, 'throws')}`).toBe(`${name}: pending`)
    }
    expect(t.logged.join()).not.toContain('does not answer')
  })

  test('a settlement that the inbox refuses becomes a failed attempt, and its neighbours are settled', async () => {
    const refused = 'the third'
    await using t = await rig(
      (clock) => {
        const engine = make(clock)
        return {
          ...engine,
          settle(settlements) {
            const unstorable = settlements.some(
              ({ lease, outcome }) => lease.event.key.id === refused && outcome.kind === 'succeeded',
            )
            return unstorable ? Promise.reject(new Error('out of range')) : engine.settle(settlements)
          },
        }
      },
      [handlerNamed('h', () => {}, { maxAttempts: 2 })],
      8,
    )
    const ids = ['1', '2', refused, '4', '5', '6', '7']
    await t.append(...ids.map((id) => ({ id })))
    t.worker.start()
    await expect
      .poll(
        async () => {
          await t.quiet()
          return (await t.engine.stats()).handlers[0]?.pending
        },
        { timeout: 10_000 },
      )
      .toBe(1)
    for (const id of ids.filter((one) => one !== refused)) expect(await t.state(id)).toBe('succeeded')
    expect(await t.state(refused)).toBe('pending')
    const kept = await t.engine.get({ createInstant: 1_900_000_000_000, tenantId: '', id: refused })
    expect(kept?.deliveries[0]?.failures[0]?.message).toContain('out of range')
    expect(t.logged.join()).toContain('FW_SETTLE')
    expect(t.logged.join()).not.toContain('does not answer')
  })
}
