import fc from 'fast-check'
import { expect, test } from 'vitest'
import { valuesAt } from '../../src/events/values-at.ts'
import { nodes } from './nodes.ts'

test('follows keys and every element of arrays', () => {
  const event = {
    users: [
      { id: 'a', tags: ['x', 'y'] },
      { id: 'b', tags: [] },
    ],
  }
  expect(valuesAt(event, 'users[].id')).toEqual(['a', 'b'])
  expect(valuesAt(event, 'users[].tags[]')).toEqual(['x', 'y'])
  expect(valuesAt(event, 'users')).toEqual([event.users])
})

test.each([
  ['a missing key', {}],
  ['null on the way', { user: null }],
  ['text on the way', { user: 'ada' }],
  ['an array where an object was meant', { user: [{ id: 'a' }] }],
  ['no object at all', undefined],
])('counts %s as one undefined', (_, event) => {
  expect(valuesAt(event, 'user.id')).toEqual([undefined])
})

test('counts an object where an array was meant as one undefined', () => {
  expect(valuesAt({ users: { 0: { id: 'a' } } }, 'users[].id')).toEqual([undefined])
})

test('tells which element lacks a value', () => {
  expect(valuesAt({ users: [{ id: 'a' }, {}, null] }, 'users[].id')).toEqual(['a', undefined, undefined])
})

test('sees own keys only', () => {
  expect(valuesAt({}, 'constructor.name')).toEqual([undefined])
  expect(valuesAt(JSON.parse('{"__proto__":{"id":"a"}}'), '__proto__.id')).toEqual(['a'])
  expect(valuesAt({}, '__proto__.id')).toEqual([undefined])
})

test('reads back every value of any payload by its path', () => {
  const key = fc.string({ minLength: 1 }).filter((text) => !text.includes('.') && !text.endsWith('[]'))
  const { payload } = fc.letrec((tie) => ({
    payload: fc.dictionary(key, tie('value'), { minKeys: 1, maxKeys: 4 }),
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.integer(),
      fc.array(fc.string()),
      tie('payload'),
      fc.array(tie('payload')),
    ),
  }))
  fc.assert(
    fc.property(payload, (event) => {
      for (const [path, value] of nodes(event)) expect(valuesAt(event, path)).toContainEqual(value)
    }),
  )
})
