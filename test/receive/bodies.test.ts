import { randomUUID } from 'node:crypto'
import { readEvent } from '../../src/events/read-event.ts'
import { describe, expect, test } from 'vitest'
import { door, good } from '../support/door.ts'
import { rimNames } from '../support/rims.ts'

const utf16 = (text: string) => Buffer.from(text, 'utf16le')
const withEvent = (members: string) => `{"event":{"type":"x","id":"${randomUUID()}",${members}}}`
const latin1 = (text: string) => Buffer.from(text, 'latin1')

const refused: Readonly<Record<string, string | Uint8Array>> = {
  nothing: '',
  'white space': ' \n',
  null: 'null',
  'an array': '[]',
  'an array with an event': '[{"event":{"type":"x"}}]',
  'a string': '"x"',
  'a number': '1',
  'no event': '{}',
  'an event of another case': '{"Event":{"type":"x"}}',
  'an event that is null': '{"event":null}',
  'an event that is an array': '{"event":[{"type":"x"}]}',
  'an event that is a text': '{"event":"x"}',
  'an event that is true': '{"event":true}',
  'an event behind __proto__': '{"__proto__":{"event":{"type":"x"}}}',
  'a type behind __proto__': '{"event":{"__proto__":{"type":"x"}}}',
  'no type': '{"event":{"id":"1"}}',
  'a type that is empty': '{"event":{"type":""}}',
  'a type that is a number': '{"event":{"type":1}}',
  'a type that is null': '{"event":{"type":null}}',
  'a type that is an array': '{"event":{"type":["x"]}}',
  'a type that is an object': '{"event":{"type":{"toString":"x"}}}',
  'an event without its envelope': '{"type":"user.delete","id":"1","user":{"id":"ada"}}',
  'a Kafka test message without message': '{"type":"test"}',
  'JSON cut short': '{"event":{"type":"x"}',
  'JSON with a comma too many': '{"event":{"type":"x",}}',
  'JSON with a comment': '{"event":{"type":"x"}}//',
  'JSON in single quotes': "{'event':{'type':'x'}}",
  'JSON with NaN': withEvent('"a":NaN'),
  'JSON with a leading zero': withEvent('"a":01'),
  'JSON with a plus': withEvent('"a":+1'),
  'JSON with a raw line feed in a text': withEvent('"a":"\n"'),
  'JSON with a raw NUL': withEvent('"a":"\0"'),
  'JSON with a bad escape': withEvent(String.raw`"a":"\x41"`),
  'two documents': '{"event":{"type":"x"}}{"event":{"type":"x"}}',
  'a document and a NUL': '{"event":{"type":"x"}}\0',
  'a byte order mark': '\uFEFF{"event":{"type":"x"}}',
  'UTF-16': utf16('{"event":{"type":"x"}}'),
  'UTF-16 with a byte order mark': utf16('\uFEFF{"event":{"type":"x"}}'),
  'a byte that is not UTF-8': latin1(withEvent('"a":"caf\xe9"')),
  'an overlong slash': latin1(withEvent('"a":"\xc0\xaf"')),
  'a surrogate in UTF-8': latin1(withEvent('"a":"\xed\xa0\x80"')),
  'a sequence cut short': latin1(withEvent('"a":"\xe2\x82"')),
  'a code point too high': latin1(withEvent('"a":"\xf4\x90\x80\x80"')),
}

const accepted: Readonly<Record<string, string | Uint8Array>> = {
  __proto__: withEvent('"__proto__":{"polluted":1},"user":{"__proto__":{"polluted":1}}'),
  'constructor.prototype': withEvent('"constructor":{"prototype":{"polluted":1}}'),
  'own hasOwnProperty, toString, then and toJSON': withEvent(
    '"hasOwnProperty":1,"toString":1,"then":1,"toJSON":1,"valueOf":1',
  ),
  'the members of an answer': withEvent('"status":200,"outcome":"kept","body":""'),
  'a long integer': withEvent('"a":9223372036854775807,"b":-9223372036854775808'),
  '1e400': withEvent('"a":1e400,"b":-1e400'),
  '-0': withEvent('"a":-0'),
  'duplicate keys': withEvent('"a":1,"a":2,"type":"x"'),
  'an escaped NUL': withEvent(String.raw`"a":"\u0000"`),
  'lone surrogates': withEvent(String.raw`"a":"\ud800","\udc00":1`),
  'depth 500,000': withEvent(`"a":${'['.repeat(500_000)}${']'.repeat(500_000)}`),
  'depth 100,000 of objects': withEvent(`"a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
  'depth and a long integer': withEvent(
    `"n":12345678901234567890,"a":${'['.repeat(300_000)}${']'.repeat(300_000)}`,
  ),
  '10,000 keys': withEvent(Array.from({ length: 10_000 }, (_, index) => `"k${index}":${index}`).join(',')),
  'a type of 10 KiB': `{"event":{"type":"${'t'.repeat(10_240)}"}}`,
  'a type of control characters': String.raw`{"event":{"type":"\u001b[2J\r\n\u202e"}}`,
  'the type __proto__': '{"event":{"type":"__proto__"}}',
  'the type constructor': '{"event":{"type":"constructor"}}',
  'the type *': '{"event":{"type":"*"}}',
  'an id that is no UUID': '{"event":{"type":"x","id":"../../etc/passwd"}}',
  'an id of 100 KiB': `{"event":{"type":"x","id":"${'i'.repeat(102_400)}"}}`,
  'an id that is a number': '{"event":{"type":"x","id":7}}',
  'an id that is an object': '{"event":{"type":"x","id":{"a":1}}}',
  'a createInstant beyond all bounds': withEvent('"createInstant":99999999999999999999'),
  'a createInstant that is a text': withEvent('"createInstant":"now"'),
  'a createInstant that is negative': withEvent('"createInstant":-1'),
  'a tenant that is an object': withEvent('"tenantId":{"id":1}'),
  'a tenant that is a long text': withEvent(`"tenantId":"${'\\u0000'.repeat(10_000)}"`),
  'white space around': ` \t\r\n${withEvent('"a":1')}\n`,
  'more beside the event': '{"other":1,"event":{"type":"x"},"__proto__":null}',
  'four bytes a character': withEvent('"a":"𝒜🦆"'),
  'a backslash before every quote': withEvent(`"a":"${String.raw`\\\"`.repeat(10_000)}1234567890123456789"`),
}

describe.each(rimNames)('%s', (rim) => {
  test.each(Object.entries(refused))('answers 400 to %s', async (_, body) => {
    await using at = await door(rim)
    expect((await at.send({ headers: good, body })).status).toBe(400)
  })

  test.each(Object.entries(accepted))('answers 200 to %s', async (_, body) => {
    await using at = await door(rim)
    expect((await at.send({ headers: good, body })).status).toBe(200)
    expect(at.ran.length).toBe(1)
    expect(Object.hasOwn({}, 'polluted') || Reflect.has({}, 'polluted')).toBe(false)
  })

  test('never names an event in the log by more than 128 characters', async () => {
    await using at = await door(rim, {
      register: (webhook) =>
        webhook.on('*', { name: 'all', when: 'received' }, () => {
          throw new Error('down')
        }),
    })
    const event = { type: 't'.repeat(10_240), id: 'i'.repeat(10_240) }
    expect((await at.send({ headers: good, body: JSON.stringify({ event }) })).status).toBe(500)
    expect(at.log.text()).toContain('t'.repeat(128))
    expect(at.log.text()).not.toContain('t'.repeat(129))
    expect(at.log.text()).not.toContain('i'.repeat(129))
  })
})

test('a hostile depth is read in time that grows with its length', () => {
  const deep = (depth: number) =>
    Buffer.from(withEvent(`"n":12345678901234567890,"a":${'["'.repeat(depth)}"]`))
  const read = (bytes: Buffer) => {
    const startedAt = performance.now()
    readEvent(bytes, () => '')
    return performance.now() - startedAt
  }
  expect(read(deep(1_000_000))).toBeLessThan(1000)
})
