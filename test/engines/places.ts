import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A path for an inbox in a folder of its own, which goes with it. */
export function place(): { readonly file: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-'))
  return {
    file: join(folder, 'inbox.db'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}
