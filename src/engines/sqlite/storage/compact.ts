import { DatabaseSync } from 'node:sqlite'

/** Rewrites the database without its unused space (`vacuum`), on a connection of its own. Writers are blocked meanwhile. */
export function compact(path: string): void {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    db.exec('pragma secure_delete = on')
    db.exec('vacuum')
  } finally {
    db.close()
  }
}
