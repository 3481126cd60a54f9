import { expect, test } from 'vitest'
import { chaos, possibleFaults } from './sqlite.ts'

const nothingBad = {
  lost: 0,
  repeated: 0,
  innocent: 0,
  uncaught: 0,
  late: 0,
  askedInVain: 0,
  cutOff: 0,
  wronglyPruned: 0,
  stuck: 0,
}

test('an inbox on SQLite loses nothing and repeats nothing when its process is killed', async () => {
  const verdict = await chaos({ kills: 4, faults: ['killed'] })
  expect(verdict).toMatchObject({ kills: 4, ...nothingBad })
  expect(verdict.acknowledged).toBeGreaterThan(400)
}, 180_000)

test('an inbox on SQLite keeps its promises when its disk, its clock, its handlers and its admins do their worst', async () => {
  // Poison events and slow disks take long: they are left to `npm run chaos`.
  const inATest = [
    'outcomes that cannot be stored',
    'tended',
    'restarted under a Java sender',
    'a full disk',
    'a wrong clock',
  ]
  const faults = possibleFaults().filter((fault) => inATest.includes(fault))
  const verdict = await chaos({ kills: faults.length, faults })
  expect(verdict).toMatchObject(nothingBad)
  expect(Object.values(verdict.faults)).toEqual(faults.map(() => 1))
  expect(verdict.acknowledged).toBeGreaterThan(400)
}, 240_000)

test('a receiver that answers before the commit is caught', async () => {
  const verdict = await chaos({ kills: 3, faults: ['killed'], sabotage: 'answer-early' })
  expect(verdict.lost).toBeGreaterThan(0)
}, 180_000)
