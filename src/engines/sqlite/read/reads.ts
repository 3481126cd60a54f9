import type { Person } from '../../../model/person.ts'
import { type Filter, replayOf } from '../../../model/filter.ts'
import type { Kept } from '../../../model/kept.ts'
import type { Receipt } from '../../../model/receipt.ts'
import type { ReceivedBefore, Retention } from '../../../model/retention.ts'
import type { Overview } from '../../../model/stats.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { finding, type Placed } from '../tend/find.ts'
import { overviewing } from '../tend/overview.ts'
import { findingPrunable, type Prunable } from '../tend/prune.ts'
import { findingReceipts } from '../tend/receipts.ts'
import { checkpoint, compact, emptyLog, holds } from '../storage/scrub.ts'
import type { SqliteSql } from '../sql.ts'

/** What only looks: on a connection of its own in another thread, or, where there is none to be had, beside the writer. */
export interface Reads {
  find(where: Filter, paging: Paging): Page<Kept>
  replayable(where: Filter, after: string | undefined): Page<Placed>
  prunable(what: Retention | ReceivedBefore, after: string | undefined, now: number): Prunable
  erasable(person: Person, after: string | undefined): Erasable
  receipts(paging: Paging): Page<Receipt>
  overview(now: number): Generator<void, Overview>
  /** Whether a file holds one of these texts. */
  holds(path: string, texts: readonly string[]): boolean
  /** Moves the write-ahead log into the file. */
  checkpoint(path: string): void
  /** The same, and empties it: whether nothing is left in it. */
  emptyLog(path: string): boolean
  /** Rewrites the file: nothing is written meanwhile. */
  compact(path: string): void
}

export interface Erasable {
  readonly kind: 'events' | 'asides'
  readonly seqs: readonly number[]
  readonly next?: string
}

/** How many events one step of a replay or an erasure takes: 2 ms. */
const stepLimit = 200

export function reads(db: SqliteSql): Reads {
  const find = finding(db)
  return {
    find(where, paging) {
      const { items, ...page } = find(where, paging)
      return { ...page, items: items.map(({ kept }) => kept) }
    },
    replayable(where, after) {
      const paging: Paging = { limit: stepLimit, order: 'oldest', ...(after !== undefined && { after }) }
      return find(where, paging, (kept) => {
        const { ended, missing } = replayOf(kept, where)
        return ended.length > 0 || missing
      })
    },
    prunable: findingPrunable(db),
    erasable({ userId, tenantId }, after = 'e') {
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
    receipts: findingReceipts(db),
    overview: overviewing(db),
    holds,
    checkpoint,
    emptyLog,
    compact,
  }
}
