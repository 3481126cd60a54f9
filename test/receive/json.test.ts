import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEvent } from '../../src/events/read-event.ts'
import { parseJson, parseJsonExactly } from '../../src/lib/parse-json.ts'

const hash = () => 'hash'
const runs = { numRuns: 500 }

/** JSON text with integers of any length in it, and the value a reader that loses nothing makes of it. */
const exact: fc.Arbitrary<{ text: string; value: unknown }> = fc.letrec<{
  json: { text: string; value: unknown }
}>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc
      .oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('\\', '"', '\\"', '1234567890123456789', '\u2028'),
      )
      .map((value) => ({
        text: JSON.stringify(value),
        value,
      })),
    fc.oneof(fc.bigInt(), fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n })).map((value) => ({
      text: `${value}`,
      value: Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`,
    })),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
      const text = Number.isInteger(value) ? `${value.toExponential()}` : JSON.stringify(value)
      return { text, value: Number(text) }
    }),
    fc.constantFrom(null, true, false).map((value) => ({ text: `${value}`, value })),
    fc.array(tie('json'), { maxLength: 5 }).map((items) => ({
      text: `[${items.map(({ text }) => text).join(' , ')}]`,
      value: items.map(({ value }) => value),
    })),
    fc
      .array(
        fc.tuple(
          fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
          tie('json'),
        ),
        { maxLength: 5 },
      )
      .map((members) => ({
        text: `{${members.map(([key, { text }]) => `${JSON.stringify(key)}:${text}`).join(',')}}`,
        value: Object.fromEntries(members.map(([key, { value }]) => [key, value])),
      })),
  ),
})).json

test('every JSON value is read exactly: long integers as text, all else as JSON.parse has it', () => {
  fc.assert(
    fc.property(exact, ({ text, value }) => {
      expect(parseJsonExactly(text)).toEqual(value)
    }),
    { numRuns: 2000 },
  )
})

test('what JSON.parse reads without loss is read the same', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const value = parseJson(text)
      fc.pre(!/\d{16}/.test(text))
      expect(parseJsonExactly(text)).toEqual(value)
    }),
    runs,
  )
})

test('no text throws, and what is no JSON is undefined', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json().chain((json) => fc.nat(json.length).map((at) => json.slice(0, at))),
      ),
      (text) => {
        expect(parseJsonExactly(text) === undefined).toBe(parseJson(text) === undefined)
      },
    ),
    runs,
  )
})

test('no bytes throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(['string', 'object']).toContain(typeof readEvent(bytes, hash))
    }),
    runs,
  )
})

test('an event keeps every member it came with', () => {
  const fields = fc.dictionary(
    fc
      .string({ unit: 'grapheme' })
      .filter((key) => !['type', 'id', 'createInstant', '__proto__'].includes(key)),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(fields, fc.string({ minLength: 1 }), (members, type) => {
      const text = JSON.stringify({ event: { ...members, type, id: 'i', createInstant: 5 } })
      expect(readEvent(Buffer.from(text), hash)).toEqual(
        parseJsonExactly(text) && { ...Object(parseJsonExactly(text)).event, type: expect.any(String) },
      )
    }),
    runs,
  )
})
