import { sample } from '../../src/testing/index.ts'

const bytes = 2048

/** FusionAuth's `user.delete` as it is sent, 2 KB long. */
export function eventBody(id: string): string {
  const shortest = bodyOf(id, '')
  return bodyOf(id, 'x'.repeat(bytes - Buffer.byteLength(shortest)))
}

/** A UUID for each number. */
export function eventId(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
}

/** A user without memberships and registrations: with everything a sample has it is 3 KB. */
function bodyOf(id: string, note: string): string {
  const user = { data: { note }, memberships: [], registrations: [], twoFactor: { methods: [] } }
  return JSON.stringify({ event: sample('user.delete', { id, createInstant: Date.now(), user }) })
}
