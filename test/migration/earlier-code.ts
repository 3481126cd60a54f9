import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The last commit before the tables changed: what wrote the fixtures, and what an upgrade may meet. */
export const earlierCommit = '6086bc6'

/** The sources of that commit in a folder of their own, which node runs as they are. */
export interface EarlierCode extends Disposable {
  readonly folder: string
}

/** Undefined where git does not know the commit: in a shallow clone, or in what was unpacked from an archive. */
export function earlierCode(): EarlierCode | undefined {
  if (!existsSync(join(root, '.git'))) return undefined
  const archive = spawnSync('git', ['archive', earlierCommit, 'src', 'package.json'], {
    cwd: root,
    maxBuffer: 256 * 1024 * 1024,
  })
  if (archive.status !== 0) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-earlier-'))
  execFileSync('tar', ['-x', '-C', folder], { input: archive.stdout })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
