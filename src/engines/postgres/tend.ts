import { FusewireError } from '../../model/errors.ts'
import type { Tending } from '../../model/tending.ts'
import type { Database } from './database.ts'
import { finding } from './find.ts'
import { nodes } from './nodes.ts'
import { overviewing } from './overview.ts'
import { boundedByTime, pruning } from './prune.ts'
import { receipts } from './receipts.ts'

/** What people ask of the inbox, in connections of their own: looking takes nothing from receiving and delivering. */
export function tending(database: Database, schema: string): Tending {
  const find = finding(schema)
  const overview = overviewing(schema)
  const prune = pruning(schema)
  return {
    ...nodes(database, schema),
    ...receipts(database, schema),
    find: (where, paging) => database.transact((client) => find(client, where, paging)),
    overview: () => database.use(overview),
    limit() {
      throw boundedByTime()
    },
    replay: notYet('replay'),
    prune: (retention, after) => database.transact((client) => prune(client, retention, after)),
    erase: notYet('erase'),
    scrub: async () => 'overwritten later',
  }
}

function notYet(what: string): () => Promise<never> {
  return () =>
    Promise.reject(
      new FusewireError(
        'FW_OPTION',
        `${what}: an inbox on PostgreSQL cannot do that yet; one on SQLite can.`,
      ),
    )
}
