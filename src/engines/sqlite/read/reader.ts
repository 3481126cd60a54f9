import { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { createInboxReader, type InboxReader } from './inbox-reader.ts'
import { type ReaderRequest, runRequest } from './reader-request.ts'
import { prepareCheckInPlace } from '../storage/check-in-place.ts'
import { prepareYieldCpu } from '../tend/yield-cpu.ts'

/* The thread of reader-thread.ts. It reads on a connection of its own. */

let open:
  | { readonly path: string; readonly db: DatabaseSync; readonly reader: InboxReader; checkInPlace(): void }
  | undefined

/** Opens the path again if it leads to other files than before. */
function readerOf(path: string): InboxReader {
  try {
    if (open?.path === path) open.checkInPlace()
  } catch {
    open?.db.close()
    open = undefined
  }
  if (open === undefined) {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 })
    db.exec('pragma cache_size = -8192')
    open = { path, db, reader: createInboxReader(db), checkInPlace: prepareCheckInPlace(path) }
  }
  return open.reader
}

parentPort?.on('message', ({ path, request }: { path: string; request: ReaderRequest }) => {
  try {
    parentPort?.postMessage({ value: runRequest(readerOf(path), request, prepareYieldCpu()) })
  } catch (error) {
    parentPort?.postMessage({ error })
  }
})
