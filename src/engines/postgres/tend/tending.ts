import type { Tending } from '../../../model/tending.ts'
import { prepareAbandon, prepareCountIdle } from '../lanes/abandon.ts'
import type { Database } from '../storage/database.ts'
import { prepareErase, createErasureNotes, prepareRememberErased } from './erase.ts'
import { prepareFind } from './find.ts'
import type { JudgedNow } from '../storage/judge-time.ts'
import { createNodes } from '../nodes.ts'
import { prepareOverview } from './overview.ts'
import { maxBytesError, preparePrune } from './prune.ts'
import { createReceipts } from './receipts.ts'
import { prepareReplay } from './replay.ts'
import { prepareScrub } from '../storage/scrub.ts'
import type { PostgresClient } from '../sql.ts'

/** What people ask of the inbox, in connections of their own: looking takes nothing from receiving and delivering. */
export function createTending(
  database: Database,
  schema: string,
  wake: () => void,
  judge: (client: PostgresClient) => Promise<JudgedNow>,
): Tending {
  const find = prepareFind(schema)
  const overview = prepareOverview(schema)
  const prune = preparePrune(schema, judge)
  const countIdle = prepareCountIdle(schema)
  const abandon = prepareAbandon(schema)
  const replay = prepareReplay(schema)
  const remember = prepareRememberErased(schema, judge)
  const erase = prepareErase(schema)
  const notes = createErasureNotes(schema)
  return {
    ...createNodes(database, schema),
    ...createReceipts(database, schema),
    find: (where, paging) => database.transact((client) => find(client, where, paging)),
    overview: () => database.use(overview),
    limit() {
      throw maxBytesError()
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
    scrub: prepareScrub(database, schema),
  }
}
