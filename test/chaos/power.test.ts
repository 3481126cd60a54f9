import { expect, test } from 'vitest'
import { cutPower, whyNot } from './power.ts'

const reason = whyNot()

test('an inbox on SQLite loses nothing and repeats nothing when its power is cut', async (context) => {
  if (reason !== undefined) return context.skip(reason)
  const verdict = await cutPower({ cuts: 6 })
  expect(verdict).toMatchObject({ lost: 0, repeated: 0 })
  expect(verdict.acknowledged).toBeGreaterThan(100)
}, 60_000)

test('a commit that does not wait for the disk is caught', async (context) => {
  if (reason !== undefined) return context.skip(reason)
  const verdict = await cutPower({ cuts: 3, sabotage: 'no sync' })
  expect(verdict.lost).toBeGreaterThan(0)
}, 60_000)
