import { expect, test } from 'vitest'
import { chaos, type PostgresFault } from './postgres.ts'

const strikes = ['a node killed', 'connections cut'] as const
const comeAndGo: readonly PostgresFault[] = [
  ...strikes,
  ...strikes,
  'the server killed',
  ...strikes,
  'the server restarted',
]

test('an inbox on PostgreSQL loses, repeats and overtakes nothing while its nodes, its server and its network fail', async () => {
  const verdict = await chaos({ faults: 8, among: comeAndGo })
  expect(verdict).toMatchObject({ lost: 0, repeated: 0, overtaken: 0, innocent: 0, uncaught: 0, stuck: 0 })
  expect(verdict.acknowledged).toBeGreaterThan(100)
}, 240_000)

test('an inbox on PostgreSQL keeps its promises whatever handlers throw', async () => {
  const verdict = await chaos({ faults: 1, among: ['outcomes that cannot be stored'] })
  expect(verdict).toMatchObject({ lost: 0, repeated: 0, overtaken: 0, innocent: 0, uncaught: 0, stuck: 0 })
}, 240_000)

test('receivers that answer before the commit are caught', async () => {
  // A fault must fall between an answer and its commit: one in twelve nearly always does.
  let lost = 0
  for (let tries = 0; lost === 0 && tries < 4; tries++) {
    lost = (await chaos({ faults: 12, among: comeAndGo, sabotage: 'answer-early' })).lost
  }
  expect(lost).toBeGreaterThan(0)
}, 240_000)
