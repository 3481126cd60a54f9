import type { Person } from '../../../model/person.ts'
import { type Filter, replayOf } from '../../../model/filter.ts'
import type { Kept } from '../../../model/kept.ts'
import type { Receipt } from '../../../model/receipt.ts'
import type { ReceivedBefore, Retention } from '../../../model/retention.ts'
import type { Overview } from '../../../model/stats.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { prepareFind, type FoundEvent } from '../tend/find.ts'
import { prepareOverview } from '../tend/overview.ts'
import { prepareFindPrunable, type Prunable } from '../tend/find-prunable.ts'
import { prepareFindReceipts } from '../tend/find-receipts.ts'
import { checkpointWal, truncateWal } from '../storage/checkpoint-wal.ts'
import { compact } from '../storage/compact.ts'
import { filesContain } from '../storage/files-contain.ts'
import type { SqliteSql } from '../sql.ts'

/**
 * The reads of `Tending`, and the maintenance of its files. They run on a connection of their own in another thread; where no thread can
 * start, on the writer's connection.
 */
export interface InboxReader {
  find(where: Filter, paging: Paging): Page<Kept>
  findReplayable(where: Filter, after: string | undefined): Page<FoundEvent>
  findPrunable(what: Retention | ReceivedBefore, after: string | undefined, now: number): Prunable
  findErasable(person: Person, after: string | undefined): Erasable
  findReceipts(paging: Paging): Page<Receipt>
  overview(now: number): Generator<void, Overview>
  /** Whether the database or its WAL contains one of these texts. */
  filesContain(path: string, texts: readonly string[]): boolean
  /** Copies the WAL into the database. */
  checkpointWal(path: string): void
  /** The same, and empties the WAL. False when another connection reads an older snapshot. */
  truncateWal(path: string): boolean
  /** Rewrites the database without its unused space. Writers are blocked meanwhile. */
  compact(path: string): void
}

export interface Erasable {
  readonly kind: 'events' | 'asides'
  readonly seqs: readonly number[]
  readonly next?: string
}

/** How many events one step of a replay or an erasure takes: 2 ms of work. */
const stepLimit = 200

export function createInboxReader(db: SqliteSql): InboxReader {
  const find = prepareFind(db)
  return {
    find(where, paging) {
      const { items, ...page } = find(where, paging)
      return { ...page, items: items.map(({ kept }) => kept) }
    },
    findReplayable(where, after) {
      const paging: Paging = { limit: stepLimit, order: 'oldest', ...(after !== undefined && { after }) }
      return find(where, paging, (kept) => {
        const { ended, missing } = replayOf(kept, where)
        return ended.length > 0 || missing
      })
    },
    findPrunable: prepareFindPrunable(db),
    findErasable({ userId, tenantId }, after = 'e') {
      const place = after.slice(1)
      const paging: Paging = { limit: stepLimit, order: 'oldest', ...(place !== '' && { after: place }) }
      const person = { userId, ...(tenantId !== undefined && { tenantId }) }
      const kind = after.startsWith('e') ? 'events' : 'asides'
      const where: Filter =
        kind === 'events' ? person : { ...person, state: ['conflict', 'stale', 'quarantined'] }
      const { items, next } = find(where, paging)
      const then = next !== undefined ? `${after.charAt(0)}${next}` : kind === 'events' ? 'a' : undefined
      return { kind, seqs: items.map(({ seq }) => seq), ...(then !== undefined && { next: then }) }
    },
    findReceipts: prepareFindReceipts(db),
    overview: prepareOverview(db),
    filesContain,
    checkpointWal,
    truncateWal,
    compact,
  }
}
