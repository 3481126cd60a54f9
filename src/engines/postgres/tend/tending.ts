import type { Tending } from '../../../model/tending.ts'
import { prepareAbandon } from '../lanes/abandon.ts'
import { prepareCountIdle } from '../lanes/count-idle.ts'
import type { Database } from '../storage/database.ts'
import { prepareErase } from './erase.ts'
import { createErasureNotes } from './erasure-notes.ts'
import { prepareRememberErased } from './remember-erased.ts'
import { prepareFind } from './find.ts'
import type { JudgedNow } from '../storage/judge-time.ts'
import { createNodes } from '../nodes.ts'
import { prepareOverview } from './overview.ts'
import { maxBytesError, preparePrune } from './prune.ts'
import { createReceipts } from './receipts.ts'
import { prepareReplay } from './replay.ts'
import { prepareScrub } from '../storage/scrub.ts'
import type { PostgresClient } from '../sql.ts'

/** What people and maintenance ask of the inbox. Each call takes a connection of its own, so it does not wait for appends and claims. */
export function createTending(
  database: Database,
  schema: string,
  wake: () => void,
  judgeTime: (client: PostgresClient) => Promise<JudgedNow>,
): Tending {
  const find = prepareFind(schema)
  const overview = prepareOverview(schema)
  const prune = preparePrune(schema, judgeTime)
  const countIdle = prepareCountIdle(schema)
  const abandon = prepareAbandon(schema)
  const replay = prepareReplay(schema)
  const remember = prepareRememberErased(schema, judgeTime)
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
      // First, in a transaction of its own: from then on append blanks events of the person.
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
