import { expect, test } from 'vitest'
import { emulate, type Level } from '../../src/emulator/index.ts'
import { passes } from '../../src/emulator/system/level.ts'
import { Recorder } from './recorder.ts'

/** How many of n = 1..6 receivers have to accept, as FusionAuth's rule has it. */
const needed: Readonly<Record<Level, readonly number[]>> = {
  None: [0, 0, 0, 0, 0, 0],
  Any: [1, 1, 1, 1, 1, 1],
  SimpleMajority: [1, 1, 2, 2, 3, 3],
  SuperMajority: [1, 2, 2, 3, 4, 4],
  AbsoluteMajority: [1, 2, 3, 4, 5, 6],
}

const levels = Object.keys(needed) as Level[]

test.each([1, 2, 3, 4, 5, 6])(
  'every level with %i receivers and every number of successes',
  async (receivers) => {
    await using recorder = await Recorder.listen()
    await using fusionauth = await emulate()
    for (let n = 0; n < receivers; n += 1) await fusionauth.connect(`${recorder.url}/${n}`)

    for (const level of levels) {
      fusionauth.level('user.delete', level)
      const threshold = needed[level][receivers - 1] ?? NaN
      for (let successes = 0; successes <= receivers; successes += 1) {
        recorder.answer = ({ path, event }) =>
          event.type === 'user.delete' && Number(path.slice(1)) >= successes ? 500 : 200
        const { user } = await fusionauth.createUser()
        recorder.take()

        const outcome = await fusionauth.deleteUser(user.id)

        const label = `${level}, ${successes} of ${receivers}`
        const committed = successes >= threshold
        expect(outcome, label).toMatchObject({ committed, status: committed ? 200 : 504 })
        expect((await fusionauth.deleteUser(user.id)).status, label).toBe(committed ? 404 : 504)
        // Who failed is tried three times more, but only after a transaction that passed and never at None.
        const attempts = successes + (receivers - successes) * (committed && level !== 'None' ? 4 : 1)
        expect(outcome.events[0]?.attempts, label).toHaveLength(attempts)
        expect(outcome.events[1]?.type, label).toBe(committed ? 'user.delete.complete' : undefined)
      }
    }
  },
)

test('without any receiver the transaction passes', () => {
  for (const level of levels) expect(passes(level, 0, 0)).toBe(true)
})

test('a receiver that accepts the second try is not tried a third time, and the caller does not wait for it', async () => {
  await using recorder = await Recorder.listen()
  await using fusionauth = await emulate()
  await fusionauth.connect(`${recorder.url}/good`)
  await fusionauth.connect(`${recorder.url}/bad`)
  fusionauth.level('user.delete', 'Any')
  const { user } = await fusionauth.createUser()
  recorder.take()
  let failures = 2
  recorder.answer = ({ path }) => (path === '/bad' && (failures -= 1) >= 0 ? 503 : 200)

  const outcome = await fusionauth.deleteUser(user.id)

  const deletes = recorder.posts.filter(({ event }) => event.type === 'user.delete')
  expect(outcome.committed).toBe(true)
  expect(deletes.map(({ path }) => path).toSorted()).toEqual(['/bad', '/bad', '/bad', '/good'])
  expect(new Set(deletes.map(({ body }) => body)).size).toBe(1)
})

test('receivers are posted to at the same time', async () => {
  await using fusionauth = await emulate()
  let waiting = 0
  const everybody = Promise.withResolvers<void>()
  const receiver = {
    async fetch() {
      waiting += 1
      if (waiting === 3) everybody.resolve()
      await everybody.promise
      return new Response()
    },
  }
  for (let n = 0; n < 3; n += 1) await fusionauth.connect(receiver, { types: ['user.delete'] })
  fusionauth.level('user.delete', 'AbsoluteMajority')
  const { user } = await fusionauth.createUser()

  expect(await fusionauth.deleteUser(user.id)).toMatchObject({ committed: true })
})

test('nobody sees a change before its commit, and the same row waits', async () => {
  await using fusionauth = await emulate()
  const [asked, decide] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()]
  const receiver = {
    async fetch() {
      asked.resolve()
      return new Response(null, { status: await decide.promise })
    },
  }
  await fusionauth.connect(receiver, { types: ['user.create'] })
  fusionauth.level('user.create', 'AbsoluteMajority')
  const id = '00000000-0000-4000-8000-000000000001'

  const creating = fusionauth.createUser({ id, email: 'ada@example.com' })
  await asked.promise
  const meanwhile = await fusionauth.deleteUser(id)
  const again = fusionauth.createUser({ email: 'ADA@example.com' })
  decide.resolve(200)

  expect(meanwhile.status).toBe(404)
  expect(await creating).toMatchObject({ committed: true })
  expect(await again).toMatchObject({ committed: false, status: 400 })
})
