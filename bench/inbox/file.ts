import { join } from 'node:path'
import { temporaryFolder } from '../lib/temporary-folder.ts'

/** A database file that goes when this process does. */
export function newFile(): string {
  return join(temporaryFolder(), 'inbox.db')
}
