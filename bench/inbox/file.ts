import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A database file that goes when this process does. */
export function newFile(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-inbox-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return join(folder, `${name}.db`)
}
