import { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { answer, type Question } from './questions.ts'
import { holdInPlace } from '../storage/file.ts'
import { type Reads, reads } from './reads.ts'
import { resting } from '../tend/rest.ts'

/* A thread that looks into an inbox on a connection of its own, so that nothing waits for it. */

let open:
  | { readonly path: string; readonly db: DatabaseSync; readonly reads: Reads; assertInPlace(): void }
  | undefined

/** The connection; another one when other files lie there by now. */
function readsOf(path: string): Reads {
  try {
    if (open?.path === path) open.assertInPlace()
  } catch {
    open?.db.close()
    open = undefined
  }
  if (open === undefined) {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 })
    db.exec('pragma cache_size = -8192')
    open = { path, db, reads: reads(db), assertInPlace: holdInPlace(path) }
  }
  return open.reads
}

parentPort?.on('message', ({ path, question }: { path: string; question: Question }) => {
  try {
    parentPort?.postMessage({ value: answer(readsOf(path), question, resting()) })
  } catch (error) {
    parentPort?.postMessage({ error })
  }
})
