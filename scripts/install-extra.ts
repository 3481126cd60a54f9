// Installs what only some scripts and tests need: the packages of the named folders, each of which has a package.json and a lockfile of its own.
import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Installs a folder's packages unless they are there as its lockfile says. Says so, because it takes seconds and a network. */
export function installExtra(folder: string): void {
  const path = fileURLToPath(new URL(`../${folder}`, import.meta.url))
  const wanted = hash('sha256', readFileSync(`${path}/package-lock.json`))
  const marker = `${path}/node_modules/.installed`
  if (contentOf(marker) === wanted) return
  const { description } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8')) as { description: string }
  console.error(`Installing once into ${folder}/node_modules: ${description}`)
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: path,
    stdio: ['ignore', 2, 2], // npm writes to standard error, too: standard output may be read as data.
  })
  if (status !== 0) throw new Error(`npm ci failed in ${folder}. Is there a network?`)
  writeFileSync(marker, wanted)
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) for (const folder of process.argv.slice(2)) installExtra(folder)
