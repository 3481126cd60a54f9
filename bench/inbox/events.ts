import { createHash } from 'node:crypto'
import type { Arrival } from '../../src/model/arrival.ts'
import { sample } from '../../src/testing/index.ts'
import { eventBody, eventId } from '../lib/event-body.ts'
import { fill, template } from '../lib/load.ts'

export const type = 'user.delete.complete'

/** A body with places for its id, its instant and its user. */
export const body: string = eventBody(eventId(0))
  .replace(eventId(0), '<1>')
  .replace(/"createInstant":\d+/, '"createInstant":<2>')
  .replaceAll(sample('user.delete').user.id, '<3>')
  .replace('"user.delete"', `"${type}"`)

const pieces = template(body)
const users = Array.from({ length: 1_000 }, (_, n) => uuidOf(-n))
/** Far from what a load sends, which may come to the same inbox. */
let made = 100_000_000

/** The nth event of a load: its id, as random as FusionAuth's, its instant, which grows as time does, and one of a thousand users. */
export function rowOf(n: number): [id: string, instant: string, user: string] {
  return [uuidOf(n), String(1_900_000_000_000 + Math.floor(n / 8)), users[n % users.length] ?? '']
}

export function textOf(row: readonly string[]): string {
  return fill(pieces, row)
}

/** Events as the receiver hands them to an engine, of a thousand users or of one. */
export function arrivals(count: number, oneUser?: string): Arrival[] {
  return Array.from({ length: count }, () => {
    const [id, instant, someUser] = rowOf(made++)
    const user = oneUser ?? someUser
    const bytes = Buffer.from(textOf([id, instant, user]))
    return {
      key: { createInstant: Number(instant), tenantId: '', id },
      type,
      source: 'door',
      receivedAt: Number(instant),
      hash: createHash('sha256').update(bytes).digest(),
      body: bytes,
      lane: user,
      applicationIds: [],
      subjects: [user],
    }
  })
}

function uuidOf(n: number): string {
  const hex = createHash('sha1').update(String(n)).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
