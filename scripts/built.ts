// Bundles dist/ when a source is newer than it: for npm start, and for tests that run the package as it is published. Its types are left to npm run build.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What vitest calls before the tests. */
export function setup(): void {
  const newest = Math.max(
    ...['package.json', 'rolldown.config.ts', ...sources()].map((file) => changedAt(file)),
  )
  if (changedAt('dist/index.js') > newest) return
  const rolldown = fileURLToPath(new URL('../node_modules/.bin/rolldown', import.meta.url))
  execFileSync(rolldown, ['--config', 'rolldown.config.ts', '--log-level', 'silent'], {
    cwd: root,
    stdio: 'inherit',
  })
}

function sources(): readonly string[] {
  return readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' }).map((file) => `src/${file}`)
}

function changedAt(file: string): number {
  return existsSync(`${root}/${file}`) ? statSync(`${root}/${file}`).mtimeMs : 0
}

if (import.meta.main) setup()
