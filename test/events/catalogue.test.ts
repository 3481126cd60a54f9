import { expect, test } from 'vitest'
import {
  aliases,
  canonicalType,
  catalogue,
  isEventType,
  isTransactional,
} from '../../src/events/catalogue.ts'
import { valuesAt } from '../../src/events/values-at.ts'
import { loginIdPaths, loginIdsIn, placesOf } from '../../src/events/places.ts'
import { ada, bob } from '../../src/events/samples/objects.ts'
import { sampleEvent } from '../../src/events/samples/sample-event.ts'
import { nodes } from './nodes.ts'
import { required } from './required.ts'

const types = Object.keys(catalogue).filter(isEventType)

test('lists the 64 types of FusionAuth 1.69, 31 of them transactional', () => {
  expect(types).toHaveLength(64)
  expect(types.filter(isTransactional)).toHaveLength(31)
})

test('pairs every .complete type with the transactional type before it, and no other type with any', () => {
  for (const type of types) {
    const { completes } = catalogue[type]
    expect(completes && `${completes}.complete`, type).toBe(type.endsWith('.complete') ? type : undefined)
    expect(completes === undefined || isTransactional(completes), type).toBe(true)
  }
})

test('counts four types to the instance, all others to tenants', () => {
  const ofInstance = types.filter((type) => catalogue[type].scope === 'instance')
  expect(ofInstance.toSorted()).toEqual(['audit-log.create', 'event-log.create', 'kickstart.success', 'test'])
})

test.each(types)('promises for %s exactly what its type leaves non-optional', (type) => {
  expect(catalogue[type].promised.toSorted()).toEqual(Object.keys(required[type]).toSorted())
})

test.each(types)('keeps its promises in the sample of %s', (type) => {
  for (const path of catalogue[type].promised) {
    expect(valuesAt(sampleEvent(type), path), path).not.toContain(undefined)
  }
})

/** Known to the API and the import, removed before an event carries a user: no sample has them. */
const removed = /\.(password|salt|twoFactor\.methods\[\]\.secret)$|^method\.secret$/

test.each(types)('leads somewhere in the sample with every path of %s', (type) => {
  const event = sampleEvent(type)
  const { secrets, subjects } = catalogue[type]
  const deadEnds = [...secrets, ...subjects, ...loginIdPaths(catalogue[type])].filter(
    (path) => valuesAt(event, path).includes(undefined) && !removed.test(path),
  )
  expect(deadEnds).toEqual([])
})

test.each(types)('calls every credential in the sample of %s a secret', (type) => {
  const { secrets } = catalogue[type]
  const credentials = [...nodes(sampleEvent(type))].filter(
    ([, value]) => typeof value === 'string' && /^sample-.*(token|secret)$/.test(value),
  )
  const exposed = credentials.filter(
    ([path]) => !secrets.some((secret) => `${path}.`.startsWith(`${secret}.`)),
  )
  expect(exposed).toEqual([])
})

/** Repeat the id that a subject holds. */
const repeated = /^linkedObjectId$|\.memberships\[\]\.userId$/

test.each(types)('finds every user of the sample of %s by its subjects', (type) => {
  const people = new Set<unknown>([ada.id, bob.id])
  const unfound = [...nodes(sampleEvent(type))].filter(
    ([path, value]) => people.has(value) && !catalogue[type].subjects.includes(path) && !repeated.test(path),
  )
  expect(unfound).toEqual([])
})

test.each(types)('finds every login id of the sample of %s', (type) => {
  const names = new Set<unknown>(
    [ada, bob].flatMap(({ email, phoneNumber, username }) => [email, phoneNumber, username]),
  )
  const paths = loginIdPaths(catalogue[type])
  const unfound = [...nodes(sampleEvent(type))].filter(
    ([path, value]) => names.has(value) && !paths.includes(path),
  )
  expect(unfound).toEqual([])
})

/** What every user in a sample has, and nothing else does. */
const isUser = (value: unknown) =>
  typeof value === 'object' && value !== null && 'passwordLastUpdateInstant' in value
const isRegistration = (value: unknown) =>
  typeof value === 'object' && value !== null && 'usernameStatus' in value && 'roles' in value

test.each(types)('knows where the sample of %s has users and registrations', (type) => {
  const { users, registrations } = placesOf(type)
  const found = [...nodes(sampleEvent(type))]
  const at = (is: (value: unknown) => boolean) => found.filter(([, value]) => is(value)).map(([path]) => path)
  expect([...new Set(at(isUser))].toSorted()).toEqual(users.toSorted())
  const alone = at(isRegistration).filter((path) => !path.includes('registrations[]'))
  expect([...new Set(alone)].toSorted()).toEqual(registrations.toSorted())
})

test("tells a user's login ids from those of others in the same event", () => {
  const event = {
    type: 'user.loginId.duplicate.create',
    id: 'e',
    createInstant: 1,
    user: { id: 'ada', email: 'ada@example.com', identities: [{ value: '+49123' }] },
    existing: { id: 'bob', email: 'bob@example.com' },
    duplicateEmail: 'bob@example.com',
  }
  expect(loginIdsIn(event, (id) => id === 'ada')).toEqual(['ada@example.com', '+49123'])
  expect(loginIdsIn(event, (id) => id === 'bob')).toEqual(['bob@example.com'])
  const update = { ...event, type: 'user.email.update', previousEmail: 'ada@old.example' }
  expect(loginIdsIn(update, (id) => id === 'ada')).toContain('ada@old.example')
  expect(loginIdsIn(update, (id) => id === 'bob')).toEqual([])
  const unlisted = { ...event, type: 'user.new', previousEmail: 'ada@old.example' }
  expect(loginIdsIn(unlisted, (id) => id === 'ada')).toContain('ada@old.example')
})

test('knows a misprinted type by its real name and leaves any other as it came', () => {
  for (const [misprint, type] of aliases) {
    expect(isEventType(misprint)).toBe(false)
    expect(canonicalType(misprint)).toBe(type)
  }
  for (const type of [...types, 'user.passkey.create', '__proto__', 'constructor', '']) {
    expect(canonicalType(type)).toBe(type)
  }
})

test.each(['__proto__', 'constructor', 'toString', 'user.passkey.create', 'USER.CREATE', ''])(
  'does not list %j',
  (type) => {
    expect(isEventType(type)).toBe(false)
    expect(isTransactional(type)).toBe(false)
  },
)
