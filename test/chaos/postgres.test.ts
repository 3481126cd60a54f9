import { expect, test } from 'vitest'
import { chaos } from './postgres.ts'

test('an inbox on PostgreSQL loses, repeats and overtakes nothing while its nodes, its server and its network fail', async () => {
  const verdict = await chaos({ faults: 12 })
  expect(verdict).toMatchObject({ lost: 0, repeated: 0, overtaken: 0 })
  expect(verdict.acknowledged).toBeGreaterThan(100)
}, 120_000)

test('receivers that answer before the commit are caught', async () => {
  // A fault must fall between an answer and its commit: one in twelve nearly always does.
  let lost = 0
  for (let tries = 0; lost === 0 && tries < 4; tries++) {
    lost = (await chaos({ faults: 12, sabotage: 'answer-early' })).lost
  }
  expect(lost).toBeGreaterThan(0)
}, 240_000)
