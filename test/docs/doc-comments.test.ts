import { expect, test } from 'vitest'
import { publicNames } from './public-names.ts'

const names = publicNames()

test('every public name has a doc comment, and every member of one too', () => {
  expect(names.length).toBeGreaterThan(100)
  // FusionAuth documents the fields of its events; here only those are explained whose name does not say it.
  const explained = names.filter(({ kind, at }) => kind !== 'member' || !at.startsWith('src/events/'))
  expect(explained.filter(({ doc = '' }) => doc.trim() === '').map(line)).toEqual([])
})

test('every public function, class and method has an example', () => {
  const calls = names.filter(({ kind }) => kind === 'call')
  expect(calls.length).toBeGreaterThan(30)
  expect(calls.filter(({ doc = '' }) => !doc.includes('@example')).map(line)).toEqual([])
})

function line({ name, subpath, at }: { name: string; subpath: string; at: string }): string {
  return `${name} of ${subpath}, ${at}`
}
