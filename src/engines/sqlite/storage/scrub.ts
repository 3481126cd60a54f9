import { existsSync, openSync, readSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { resting } from '../tend/rest.ts'
import { query, type SqliteSql } from '../sql.ts'

/**
 * Moves the write-ahead log into the database and empties it. With `secure_delete` on since the first write, what was erased is then
 * overwritten in both. False while a process that reads keeps an older state of the file alive.
 */
function emptyingLog(db: SqliteSql): () => boolean {
  const truncate = query<{ busy: number }>(db, 'pragma wal_checkpoint(truncate)')
  return () => truncate.get()?.busy === 0
}

const chunkBytes = 4 * 1024 * 1024

/**
 * Whether a file of the inbox still holds one of these texts. When SQLite moves a row to another page it may leave a copy in the old page's
 * unused space, and `secure_delete` overwrites only the row: about one erasure in ten of a test, before ids were hashed. So one looks.
 */
export function holds(path: string, texts: readonly string[]): boolean {
  const needles = texts.filter((text) => text !== '').map((text) => Buffer.from(text))
  return [path, `${path}-wal`].some((file) => existsSync(file) && fileHolds(opened(file), needles))
}

/** Never closed: a process that closes any descriptor of a database loses its locks on it (sqlite.org/howtocorrupt.html, 2.2). */
const descriptors = new Map<string, number>()

function opened(file: string): number {
  const { dev, ino } = statSync(file)
  const identity = `${dev}:${ino}`
  const fd = descriptors.get(identity) ?? openSync(file, 'r')
  descriptors.set(identity, fd)
  return fd
}

function fileHolds(fd: number, needles: readonly Buffer[]): boolean {
  const overlap = Math.max(0, ...needles.map(({ length }) => length - 1))
  const buffer = Buffer.alloc(chunkBytes)
  const rest = resting()
  for (let at = 0; ; at += chunkBytes - overlap) {
    const chunk = buffer.subarray(0, readSync(fd, buffer, 0, chunkBytes, at))
    if (needles.some((needle) => chunk.includes(needle))) return true
    if (chunk.length < chunkBytes) return false
    rest()
  }
}

/** A connection to write with, in the thread that reads. */
let writing: { readonly path: string; readonly db: DatabaseSync } | undefined

function connectionTo(path: string): DatabaseSync {
  if (writing?.path !== path) {
    writing?.db.close()
    writing = { path, db: new DatabaseSync(path, { timeout: 1_000 }) }
  }
  return writing.db
}

/**
 * What tending writes goes to the file from here, so that the thread that acknowledges finds little to checkpoint itself: with the disk's
 * sync that took 35 ms at times.
 */
export function checkpoint(path: string): void {
  connectionTo(path).prepare('pragma wal_checkpoint(passive)').get()
}

/** First what takes long, beside whoever writes; then nothing is left that he could wait for. */
export function emptyLog(path: string): boolean {
  checkpoint(path)
  return emptyingLog(connectionTo(path))()
}

/** Rewrites the database without its unused space, on a connection of its own. Whoever writes has to wait that long. */
export function compact(path: string): void {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    db.exec('pragma secure_delete = on')
    db.exec('vacuum')
  } finally {
    db.close()
  }
}
