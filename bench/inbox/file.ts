import { join } from 'node:path'
import { temporaryFolder } from '../lib/temporary-folder.ts'

/** A database file that goes when this process does. */
export function newFile(name: string): string {
  return join(temporaryFolder(), `${name}.db`)
}
