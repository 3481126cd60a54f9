import { type Stats, statSync } from 'node:fs'
import { FusewireError } from '../../../model/errors.ts'

/**
 * Remembers the identity (device and inode) of the database and its WAL. The returned function gives the size of the WAL in bytes, and
 * throws when the path leads to other files, or to none: after an unlink or a rename SQLite goes on committing to the old file without
 * an error. Two stats: 7 us.
 */
export function prepareCheckInPlace(path: string): () => number {
  if (path === '') return () => 0
  const opened = identitiesAt(path)
  return () => {
    const found = identitiesAt(path)
    if (found.database === opened.database && found.wal === opened.wal) return found.walBytes
    throw new FusewireError(
      'FW_INBOX_MOVED',
      `${path} was removed or replaced while it was open, so the last write is not in the file at this path. ` +
        'The next call opens the file that is at the path then. Stop the process before you move an inbox.',
    )
  }
}

/** The size of a database's WAL file, in bytes. */
export function walBytesOf(path: string): number {
  return path === '' ? 0 : (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)
}

function identitiesAt(path: string): {
  readonly database: string | undefined
  readonly wal: string | undefined
  readonly walBytes: number
} {
  const database = statSync(path, { throwIfNoEntry: false })
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false })
  return { database: identityOf(database), wal: identityOf(wal), walBytes: wal?.size ?? 0 }
}

function identityOf(stats: Stats | undefined): string | undefined {
  return stats && `${stats.dev}:${stats.ino}`
}
