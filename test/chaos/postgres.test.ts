import { expect, test } from 'vitest'
import { chaos } from './postgres.ts'

test('an inbox on PostgreSQL loses, repeats and overtakes nothing while its nodes, its server and its network fail', async () => {
  const verdict = await chaos({ faults: 12 })
  expect(verdict).toMatchObject({ lost: 0, repeated: 0, overtaken: 0 })
  expect(verdict.acknowledged).toBeGreaterThan(100)
}, 120_000)

test('receivers that answer before the commit are caught', async () => {
  const verdict = await chaos({ faults: 12, sabotage: 'answer-early' })
  expect(verdict.lost).toBeGreaterThan(0)
}, 120_000)
