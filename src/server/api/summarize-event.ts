import type { Kept } from '../../model/kept.ts'
import type * as v from 'valibot'
import type { eventSummary } from './answer-schemas.ts'
import type { DeepReadonly } from './routes.ts'

/** An event without what it says. */
export type EventSummary = DeepReadonly<v.InferOutput<typeof eventSummary>>

/** Names each member, so that a new one of `Kept` is shown only once somebody has decided that it may be. */
export function summarizeEvent(kept: Kept): EventSummary {
  const { type, source, receivedAt, keptAt, size, gone, refused, aside, deliveries } = kept
  return {
    ...kept.key,
    type,
    source,
    receivedAt,
    ...(keptAt !== undefined && { keptAt }),
    size,
    ...(gone !== undefined && { gone }),
    ...(refused !== undefined && { refused }),
    ...(aside !== undefined && { aside }),
    deliveries,
  }
}
