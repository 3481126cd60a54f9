import { createHash } from 'node:crypto'
import type { Arrival } from '../model/arrival.ts'
import type { EventKey } from '../model/event-key.ts'

/** An arrival as the receiver would make it, to try an engine with: different `id`s are different events. */
export function arrival(
  id: string,
  facts: Partial<Omit<Arrival, 'key' | 'hash'>> & Partial<EventKey> = {},
): Arrival {
  const { createInstant = 1_900_000_000_000, tenantId = '', ...rest } = facts
  const type = rest.type ?? 'user.update.complete'
  const body = rest.body ?? Buffer.from(JSON.stringify({ event: { id, createInstant, tenantId, type } }))
  return {
    key: { createInstant, tenantId, id },
    source: 'door',
    receivedAt: createInstant,
    applicationIds: [],
    subjects: [],
    ...rest,
    type,
    body,
    hash: createHash('sha256').update(body).digest(),
  }
}
