import { expect, test } from 'vitest'
import { chaos } from './sqlite.ts'

test('an inbox on SQLite loses nothing and repeats nothing when its process is killed', async () => {
  const verdict = await chaos({ kills: 8 })
  expect(verdict).toMatchObject({ kills: 8, lost: 0, repeated: 0 })
  expect(verdict.acknowledged).toBeGreaterThan(100)
}, 60_000)

test('a receiver that answers before the commit is caught', async () => {
  const verdict = await chaos({ kills: 6, sabotage: 'answer-early' })
  expect(verdict.lost).toBeGreaterThan(0)
}, 60_000)
