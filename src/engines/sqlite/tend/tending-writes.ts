import type { Append } from '../append.ts'
import { prepareAbandon, prepareCountIdle, prepareMarkRun } from '../lanes/abandon.ts'
import { createNodes, type Nodes } from '../nodes.ts'
import type { Registry } from '../registry.ts'
import type { SqliteSql } from '../sql.ts'
import { prepareErase, prepareEraseSetAside } from './erase.ts'
import type { ErasedPeople } from './erased-people.ts'
import { preparePrune } from './prune.ts'
import { prepareRecordReceipts } from './record-receipts.ts'
import { prepareReplay } from './replay.ts'

/** The writes of `Tending`, each inside the caller's transaction. */
export interface TendingWrites {
  readonly replay: ReturnType<typeof prepareReplay>
  readonly prune: ReturnType<typeof preparePrune>
  readonly erase: ReturnType<typeof prepareErase>
  readonly eraseSetAside: ReturnType<typeof prepareEraseSetAside>
  readonly erasedPeople: ErasedPeople
  readonly recordReceipts: ReturnType<typeof prepareRecordReceipts>
  readonly nodes: Nodes
  readonly markRun: ReturnType<typeof prepareMarkRun>
  readonly countIdle: ReturnType<typeof prepareCountIdle>
  readonly abandon: ReturnType<typeof prepareAbandon>
}

export function prepareTendingWrites(
  db: SqliteSql,
  registry: Registry,
  erasedPeople: ErasedPeople,
  append: Append,
): TendingWrites {
  return {
    replay: prepareReplay(db, registry, append),
    prune: preparePrune(db),
    erase: prepareErase(db),
    eraseSetAside: prepareEraseSetAside(db),
    erasedPeople,
    recordReceipts: prepareRecordReceipts(db),
    nodes: createNodes(db),
    markRun: prepareMarkRun(db, registry),
    countIdle: prepareCountIdle(db, registry),
    abandon: prepareAbandon(db, registry),
  }
}
