import type { Tending } from '../../../model/tending.ts'
import { abandoning, countingIdle } from '../lanes/abandon.ts'
import type { Database } from '../storage/database.ts'
import { erasing, erasureNotes, rememberingErased } from './erase.ts'
import { finding } from './find.ts'
import type { Judged } from '../storage/judged.ts'
import { nodes } from '../nodes.ts'
import { overviewing } from './overview.ts'
import { boundedByTime, pruning } from './prune.ts'
import { receipts } from './receipts.ts'
import { replaying } from './replay.ts'
import { scrubbing } from '../storage/scrub.ts'
import type { PostgresClient } from '../sql.ts'

/** What people ask of the inbox, in connections of their own: looking takes nothing from receiving and delivering. */
export function tending(
  database: Database,
  schema: string,
  wake: () => void,
  judge: (client: PostgresClient) => Promise<Judged>,
): Tending {
  const find = finding(schema)
  const overview = overviewing(schema)
  const prune = pruning(schema, judge)
  const countIdle = countingIdle(schema)
  const abandon = abandoning(schema)
  const replay = replaying(schema)
  const remember = rememberingErased(schema, judge)
  const erase = erasing(schema)
  const notes = erasureNotes(schema)
  return {
    ...nodes(database, schema),
    ...receipts(database, schema),
    find: (where, paging) => database.transact((client) => find(client, where, paging)),
    overview: () => database.use(overview),
    limit() {
      throw boundedByTime()
    },
    replay: async (where, after) => {
      const replayed = await database.transact((client) => replay(client, where, after))
      wake()
      return replayed
    },
    countIdle: (ms) => database.transact((client) => countIdle(client, ms)),
    abandon: () => database.transact(abandon),
    prune: (retention, after) => database.transact((client) => prune(client, retention, after)),
    async erase(person, after) {
      // First, in a transaction of its own: what comes in meanwhile is blanked by append.
      if (after === undefined) await database.transact((client) => remember(client, person))
      const erased = await database.transact((client) => erase(client, person, after))
      wake()
      return erased
    },
    noteErasure: (person, note) =>
      database.transact(async (client) => {
        await remember(client, person)
        await notes.insert(client, person, note)
      }),
    findErasureNote: (person) => database.use((client) => notes.find(client, person)),
    endErasure: (person) => database.transact((client) => notes.remove(client, person)),
    scrub: scrubbing(database, schema),
  }
}
