import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEvent } from '../../src/events/read-event.ts'
import type { EventType } from '../../src/events/types.ts'
import { catalogue } from '../../src/events/catalogue.ts'
import { valuesAt } from '../../src/events/values-at.ts'
import { createRedactor } from '../../src/receive/keep/redactor.ts'
import { sample } from '../../src/testing/index.ts'

function redact(json: string, also: readonly string[] = [], except: readonly string[] = []): string {
  const body = Buffer.from(json)
  const event = readEvent(body, () => '')
  if (typeof event === 'string') throw new Error(event)
  return Buffer.from(createRedactor({ also, except })(event, body)).toString()
}

test('takes live credentials out and leaves every other byte', () => {
  const json = `{ "event" : {"type":"jwt.refresh", "token" :\t"a.b\\"c" ,"original":"x","refreshToken":"y", "n":9223372036854775807,"userId":"u"}}`
  expect(redact(json)).toBe(
    `{ "event" : {"type":"jwt.refresh", "token" :\t"[redacted]" ,"original":"[redacted]","refreshToken":"[redacted]", "n":9223372036854775807,"userId":"u"}}`,
  )
})

test('keeps the kind of what it takes out, so that its type still holds', () => {
  const json = `{"event":{"type":"user.create","user":{"id":"u","password":"p","salt":null,"twoFactor":{"recoveryCodes":["1","2"],"methods":[{"secret":"s","id":"m"},{"id":"n"}]},"registrations":[{"tokens":{"a":"b"},"authenticationToken":12}]}}}`
  expect(redact(json)).toBe(
    `{"event":{"type":"user.create","user":{"id":"u","password":"[redacted]","salt":null,"twoFactor":{"recoveryCodes":[],"methods":[{"secret":"[redacted]","id":"m"},{"id":"n"}]},"registrations":[{"tokens":{},"authenticationToken":null}]}}}`,
  )
})

test('sees a member that is written in escapes, and each of those that are repeated', () => {
  const json = `{"event":{"type":"jwt.refresh","\\u0074oken":"one","token":"two","userId":"u"}}`
  expect(redact(json)).toBe(
    `{"event":{"type":"jwt.refresh","\\u0074oken":"[redacted]","token":"[redacted]","userId":"u"}}`,
  )
})

test.each([
  ['its last is empty', '"user":{"password":"S3CRET","password":""}', '"password":"[redacted]","password":'],
  ['its last is null', '"user":{"pass\\u0077ord":"S3CRET","password":null}', '"pass\\u0077ord":"[redacted]"'],
  [
    'what holds it is repeated',
    '"user":{"password":"S3CRET"},"user":{}',
    '"user":{"password":"[redacted]"},',
  ],
  [
    'its list is repeated',
    '"user":{"registrations":[{"tokens":{"a":"S3CRET"}}],"registrations":[]}',
    '{"tokens":{}}',
  ],
  ['its name too', '"us\\u0065r":{"pass\\u0077ord":"S3CRET"},"user":{}', '"pass\\u0077ord":"[redacted]"'],
  ['by a name of two scripts', '"user":{"größe":"S3CRET"},"user":{}', '"größe":"[redacted]"'],
  ['of a list by itself', '"user":{"list":["S3CRET"],"list":["",""]}', '"list":["[redacted]"]'],
])('a secret is taken out although %s', (_, members, told) => {
  const kept = redact(`{"event":{"type":"user.create",${members}}}`, ['user.größe', 'user.list[]'])
  expect(kept).toContain(told)
  expect(kept).not.toContain('S3CRET')
  const event = `{"event":{"type":"user.create","user":{"password":"S3CRET"}},"event":{"type":"user.create"}}`
  expect(redact(event)).not.toContain('S3CRET')
})

test('a type that is not listed is searched as any user is', () => {
  const user = '{"twoFactor":{"recoveryCodes":["S3CRET"]},"registrations":[{"tokens":{"a":"S3CRET"}}]}'
  expect(redact(`{"event":{"type":"user.new","user":${user},"original":${user}}}`)).not.toContain('S3CRET')
})

test('a type that is not listed loses every credential that any listed type has', () => {
  const event = {
    type: 'user.new',
    user: { id: 'u', password: 'S3CRET', data: { kept: 1 } },
    users: [{ id: 'v', twoFactor: { methods: [{ secret: 'S3CRET' }] } }],
    existing: { salt: 'S3CRET' },
    original: { id: 'u', firstName: 'kept', registrations: [{ tokens: { a: 'S3CRET' } }] },
    method: { secret: 'S3CRET', name: 'kept' },
    registration: { authenticationToken: 'S3CRET', tokens: { a: 'S3CRET' }, roles: ['kept'] },
    entity: { clientSecret: 'S3CRET', name: 'kept' },
    identityProviderLink: { token: 'S3CRET', displayName: 'kept' },
    accessToken: 'S3CRET',
    idToken: 'S3CRET',
    token: 'S3CRET',
    refreshToken: { token: 'S3CRET', id: 'kept' },
    auditLog: { newValue: { password: 'S3CRET' } },
  }
  const kept = redact(JSON.stringify({ event }))
  expect(kept).not.toContain('S3CRET')
  expect(JSON.parse(kept)).toMatchObject({
    event: {
      user: { id: 'u', data: { kept: 1 } },
      original: { id: 'u', firstName: 'kept' },
      method: { name: 'kept' },
      registration: { roles: ['kept'] },
      refreshToken: { id: 'kept' },
    },
  })
  const texts = { type: 'token.new', original: 'S3CRET', refreshToken: 'S3CRET' }
  expect(redact(JSON.stringify({ event: texts }))).not.toContain('S3CRET')
})

test.each<[EventType | 'user.new', string, object]>([
  ['user.create', 'user.data', { user: { data: { a: 'HIDDEN' } } }],
  ['user.update', 'user.data', { user: {}, original: { data: { a: 'HIDDEN' } } }],
  ['user.loginId.duplicate.create', 'user.data', { existing: { data: { a: 'HIDDEN' } } }],
  ['user.bulk.create', 'user.data', { users: [{ data: 'HIDDEN' }, { data: ['HIDDEN'] }] }],
  [
    'audit-log.create',
    'user.data',
    { auditLog: { oldValue: { data: 'HIDDEN' }, newValue: { data: 'HIDDEN' } } },
  ],
  ['user.new', 'user.data', { original: { data: 'HIDDEN' }, users: [{ data: 'HIDDEN' }] }],
  ['user.update', 'user.registrations[].data', { original: { registrations: [{ data: 'HIDDEN' }] } }],
  [
    'user.registration.update',
    'user.registrations[].data',
    {
      user: { registrations: [{ data: 'HIDDEN' }] },
      registration: { data: 'HIDDEN' },
      original: { data: 'HIDDEN' },
    },
  ],
  [
    'user.registration.update',
    'registration.data',
    {
      user: { registrations: [{ data: 'HIDDEN' }] },
      registration: { data: 'HIDDEN' },
      original: { data: 'HIDDEN' },
    },
  ],
])('of %s, %s is taken out wherever a user or registration stands', (type, path, fields) => {
  const json = JSON.stringify({ event: { type, ...fields } })
  expect(redact(json)).toContain('HIDDEN')
  expect(redact(json, [path])).not.toContain('HIDDEN')
})

test("what is a user's path leaves what is no user's: a group's data, an entity's", () => {
  for (const type of ['group.update', 'entity.update', 'user.registration.update']) {
    const json = JSON.stringify({
      event: { type, group: { data: 'a' }, original: { data: 'a' }, entity: { data: 'a' } },
    })
    expect(redact(json, ['user.data'])).toBe(json)
  }
})

test('takes out what a user says, and keeps what a user says', () => {
  const json = `{"event":{"type":"user.create","user":{"id":"u","password":"p","data":{"deep":[[["x"]]]},"__proto__":{"a":1}}}}`
  expect(redact(json, ['user.data', 'user.__proto__.a'], ['user.password'])).toBe(
    `{"event":{"type":"user.create","user":{"id":"u","password":"p","data":{},"__proto__":{"a":null}}}}`,
  )
})

test('survives 500,000 levels', () => {
  const deep = '['.repeat(500_000) + ']'.repeat(500_000)
  const json = `{"event":{"type":"user.create","deep":${deep},"user":{"id":"u","password":${deep}}}}`
  expect(redact(json)).toBe(`{"event":{"type":"user.create","deep":${deep},"user":{"id":"u","password":[]}}}`)
})

test('leaves no secret in any sample', () => {
  for (const type of Object.keys(catalogue) as EventType[]) {
    const event = readEvent(Buffer.from(redact(JSON.stringify({ event: sample(type) }))), () => '')
    for (const path of catalogue[type].secrets) {
      for (const value of valuesAt(event, path)) {
        expect([undefined, null, '[redacted]', '{}', '[]']).toContain(
          typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
        )
      }
    }
  }
})

test('finds in any JSON what a parse finds', () => {
  const value = fc.jsonValue({ maxDepth: 4 })
  fc.assert(
    fc.property(value, value, fc.constantFrom(0, 2), (secret, other, indent) => {
      const event = { type: 'test', other, user: { list: [{ secret, other }, other], secret }, secret: other }
      const told = redact(JSON.stringify({ event }, null, indent), ['user.secret', 'user.list[].secret'])
      const kindOf = (of: unknown) =>
        typeof of === 'string'
          ? '[redacted]'
          : Array.isArray(of)
            ? []
            : typeof of === 'object' && of !== null
              ? {}
              : null
      const list = [{ secret: kindOf(secret), other }, other]
      const elsewhere = { ...event, user: { list, secret: kindOf(secret) } }
      const secrets = secret === null || secret === '' ? event : elsewhere
      expect(JSON.parse(told)).toEqual({ event: JSON.parse(JSON.stringify(secrets)) })
    }),
  )
})
