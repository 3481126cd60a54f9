// Bundles dist/ when a source is newer than it: for npm start, and for tests that run the package as it is published. Its types are left to npm run build.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What vitest calls before the tests. */
export async function setup(): Promise<void> {
  const newest = Math.max(
    ...['package.json', 'scripts/bundle.ts', ...sources()].map((file) => changedAt(file)),
  )
  if (changedAt('dist/index.js') > newest) return
  await bundle('dist')
}

function sources(): readonly string[] {
  return readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' }).map((file) => `src/${file}`)
}

function changedAt(file: string): number {
  return existsSync(`${root}/${file}`) ? statSync(`${root}/${file}`).mtimeMs : 0
}

if (import.meta.main) await setup()
