import { expect, test } from 'vitest'
import { chaos, possibleFaults } from './sqlite.ts'

const nothingBad = {
  lost: 0,
  repeated: 0,
  innocent: 0,
  uncaught: 0,
  late: 0,
  cutOff: 0,
  wronglyPruned: 0,
  stuck: 0,
}

test('an inbox on SQLite loses nothing and repeats nothing when its process is killed', async () => {
  const verdict = await chaos({ kills: 8, faults: ['killed'] })
  expect(verdict).toMatchObject({ kills: 8, ...nothingBad })
  expect(verdict.acknowledged).toBeGreaterThan(20)
}, 180_000)

test('an inbox on SQLite keeps its promises when its disk, its clock, its handlers and its admins do their worst', async () => {
  // Poison events take many lives: they are left to `npm run chaos`.
  const faults = possibleFaults().filter((fault) => fault !== 'killed' && fault !== 'a poison event')
  const verdict = await chaos({ kills: faults.length, faults })
  expect(verdict).toMatchObject(nothingBad)
  expect(Object.values(verdict.faults)).toEqual(faults.map(() => 1))
  expect(verdict.acknowledged).toBeGreaterThan(20)
}, 240_000)

test('a receiver that answers before the commit is caught', async () => {
  const verdict = await chaos({ kills: 6, faults: ['killed'], sabotage: 'answer-early' })
  expect(verdict.lost).toBeGreaterThan(0)
}, 180_000)
