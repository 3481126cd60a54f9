import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from '../../../src/engines/sqlite/index.ts'
import { arrival } from '../../../src/testing/arrival.ts'

/** Prints what an append to a read-only file says, and another after the file may be written. Not as root, who may write anything. */
const folder = mkdtempSync(join(tmpdir(), 'fusewire-'))
const file = join(folder, 'inbox.db')
if (process.getuid?.() === 0) {
  chownSync(folder, 65_534, 65_534)
  process.setuid?.(65_534)
}
try {
  {
    await using before = sqlite(file, { allowVolatile: true })
    await before.append([arrival('1')])
  }
  chmodSync(file, 0o400)
  await using engine = sqlite(file, { allowVolatile: true })
  const error = await engine.append([arrival('2')]).then(String, String)
  chmodSync(file, 0o600)
  const after = await engine.append([arrival('2')])
  console.log(JSON.stringify({ error, after }))
} finally {
  rmSync(folder, { recursive: true })
}
