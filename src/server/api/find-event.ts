import type { Inbox, KeptEvent } from '../../inbox/inbox.ts'
import { Refusal } from './refusal.ts'

/** The event with this id. Throws the 404 where there is none. */
export async function findEvent(inbox: Inbox, id: string, tenantId: string | undefined): Promise<KeptEvent> {
  const kept = await inbox.get(id, tenantId)
  if (kept === undefined) throw new Refusal('noEvent')
  return kept
}
