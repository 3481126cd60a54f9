import { expect, test } from 'vitest'
import { catalogue, isEventType } from '../../src/events/catalogue.ts'
import { sampleEvent } from '../../src/events/samples/sample-event.ts'
import { sampleVariants } from '../../src/events/samples/sample-variants.ts'

const types = Object.keys(catalogue).filter(isEventType)

test.each(types)('gives %s a sample that says so and survives JSON', (type) => {
  const event = sampleEvent(type)
  expect(event.type).toBe(type)
  expect(JSON.parse(JSON.stringify(event))).toEqual(event)
})

test('gives every type its own id, the same at each call', () => {
  const ids = types.map((type) => sampleEvent(type).id)
  expect(new Set(ids).size).toBe(types.length)
  expect(types.map((type) => sampleEvent(type).id)).toEqual(ids)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
})

test('gives away nothing that a later sample shares', () => {
  const first = sampleEvent('user.update')
  Object.assign(first.user, { email: 'changed@example.com' })
  expect(sampleEvent('user.update').user.email).toBe('ada@example.com')
  expect(first.original?.email).toBe('ada@example.com')
})

test('uses only addresses, names and numbers set aside for examples', () => {
  const text = JSON.stringify(types.map((type) => sampleEvent(type)))
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([found]) => found)
  const hosts = all(/(?<=@|\/\/)[\w.-]+/g)
  expect(hosts.length).toBeGreaterThan(0)
  expect(hosts.filter((host) => !/(^|\.)example\.com$/.test(host))).toEqual([])
  // 203.0.113.0/24 is reserved for documentation, 020 7946 0xxx for drama.
  const addresses = all(/\b\d+\.\d+\.\d+\.\d+\b/g)
  expect(addresses.length).toBeGreaterThan(0)
  expect(addresses.filter((address) => !address.startsWith('203.0.113.'))).toEqual([])
  const phones = all(/\+44\d+/g)
  expect(phones.length).toBeGreaterThan(0)
  expect(phones.filter((phone) => !phone.startsWith('+442079460'))).toEqual([])
})

test('shows the three forms of a revoked refresh token', () => {
  const keys = (event: object) =>
    Object.keys(event)
      .filter((key) => /applicationId$|refreshToken|user/.test(key))
      .toSorted()
  expect(keys(sampleEvent('jwt.refresh-token.revoke'))).toEqual([
    'applicationId',
    'refreshToken',
    'user',
    'userId',
  ])
  expect(keys(sampleVariants.revokedForUser)).toEqual(['user', 'userId'])
  expect(keys(sampleVariants.revokedForApplication)).toEqual(['applicationId'])
})

test('shows the Kafka test message as it comes: four fields, no envelope', () => {
  expect(Object.keys(sampleVariants.kafkaTest).toSorted()).toEqual(['createInstant', 'id', 'message', 'type'])
})
