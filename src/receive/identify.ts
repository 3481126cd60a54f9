import { canonicalId } from '../model/canonical-id.ts'
import type { EventKey } from '../model/event-key.ts'
import type { ParsedEvent } from '../model/parsed-event.ts'

/** The key of an event: the same for every copy of it. */
export function identify({ createInstant, tenantId, id }: ParsedEvent): EventKey {
  return {
    createInstant,
    tenantId: typeof tenantId === 'string' ? canonicalId(tenantId) : '',
    id: canonicalId(id),
  }
}
