import { expect, test } from 'vitest'
import { applyJsonPatch } from '../../src/emulator/apply-json-patch.ts'

const target = { a: 1, o: { b: 2, a: 1 }, l: ['x', 'y'] }

test.each([
  ['adds a member', { op: 'add', path: '/c', value: 3 }, { ...target, c: 3 }],
  ['inserts an element', { op: 'add', path: '/l/1', value: 'z' }, { ...target, l: ['x', 'z', 'y'] }],
  ['appends an element', { op: 'add', path: '/l/-', value: 'z' }, { ...target, l: ['x', 'y', 'z'] }],
  ['replaces an element', { op: 'replace', path: '/l/0', value: 'z' }, { ...target, l: ['z', 'y'] }],
  ['removes an element', { op: 'remove', path: '/l/0' }, { ...target, l: ['y'] }],
  ['moves a member', { op: 'move', from: '/a', path: '/o/c' }, { o: { b: 2, a: 1, c: 1 }, l: ['x', 'y'] }],
  ['copies a member', { op: 'copy', from: '/o', path: '/c' }, { ...target, c: { b: 2, a: 1 } }],
  [
    'compares objects whatever the order of their members',
    { op: 'test', path: '/o', value: { a: 1, b: 2 } },
    target,
  ],
  ['reads ~1 as a slash', { op: 'add', path: '/x~1y', value: 1 }, { ...target, 'x/y': 1 }],
])('%s', (_, operation, expected) => {
  expect(applyJsonPatch(target, [operation])).toEqual(expected)
})

test.each([
  ['a test that fails', { op: 'test', path: '/a', value: 2 }],
  ['a test of a missing member', { op: 'test', path: '/missing' }],
  ["an array's length", { op: 'remove', path: '/l/length' }],
  ['an empty index', { op: 'add', path: '/l/', value: 'z' }],
  ['an index in exponent notation', { op: 'add', path: '/l/1e0', value: 'z' }],
  ['an index with a leading zero', { op: 'add', path: '/l/01', value: 'z' }],
  ['an index beyond the end', { op: 'add', path: '/l/3', value: 'z' }],
  ['the element after the last', { op: 'remove', path: '/l/-' }],
  ['a pointer without a slash', { op: 'replace', path: 'a', value: {} }],
  ['an add without a value', { op: 'add', path: '/c' }],
  ['a member of a missing object', { op: 'add', path: '/missing/c', value: 1 }],
  ['__proto__', { op: 'add', path: '/__proto__/c', value: 1 }],
  ['an unknown operation', { op: 'increment', path: '/a' }],
])('refuses %s', (_, operation) => {
  expect(applyJsonPatch(target, [operation])).toBeUndefined()
})

test('leaves its target as it was', () => {
  const before = structuredClone(target)
  applyJsonPatch(target, [{ op: 'remove', path: '/o/b' }])
  expect(target).toEqual(before)
})
