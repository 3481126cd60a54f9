import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../../scripts/bundle.ts'
import type { Build } from './build.ts'

const root = join(import.meta.dirname, '..', '..')
/** Below node_modules: git ignores it, and a build there finds `pg`. */
const cache = join(root, 'node_modules', '.cache', 'fusewire-bench')

/** What the user is told in one sentence. */
export class CannotCompare extends Error {}

/** The working tree as it is now, in a folder that goes when this process does. */
export async function buildToday(): Promise<Build> {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'today-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  await bundle(join(folder, 'dist'))
  return { name: 'today', folder }
}

/**
 * A commit, built once and then kept. Its dependencies are those of the working tree where the lock files are equal; otherwise they are
 * installed beside it.
 */
export function buildCommit(
  revision: string,
  progress: (doing: string) => void = () => {},
  repository: string = root,
): Build {
  const commit = commitOf(revision, repository)
  const folder = join(cache, commit)
  if (!existsSync(folder)) {
    progress(`building ${revision}`)
    buildInto(folder, commit, revision, repository)
  }
  return { name: revision, folder }
}

function commitOf(revision: string, repository: string): string {
  const found = spawnSync(
    'git',
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`],
    { cwd: repository, encoding: 'utf8' },
  )
  if (found.error !== undefined)
    throw new CannotCompare(`Comparing with a commit needs git: ${found.error.message}.`)
  if (found.status !== 0) throw new CannotCompare(`There is no commit '${revision}' in this repository.`)
  return found.stdout.trim()
}

/** Builds in a temporary folder, because node runs no TypeScript below node_modules, and keeps what is needed to run. */
function buildInto(folder: string, commit: string, revision: string, repository: string): void {
  const checkout = mkdtempSync(join(tmpdir(), 'fusewire-bench-'))
  const draft = `${folder}.${process.pid}`
  try {
    const archive = join(checkout, 'archive.tar')
    execFileSync('git', ['archive', '--format=tar', '-o', archive, commit], { cwd: repository })
    execFileSync('tar', ['-xf', archive, '-C', checkout])
    rmSync(archive)
    const shared = sameLock(checkout)
    if (shared) symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
    else
      npm(
        ['ci', '--no-audit', '--no-fund'],
        checkout,
        `The dependencies of commit '${revision}' cannot be installed`,
      )
    npm(['run', 'build'], checkout, `Commit '${revision}' does not build`)
    mkdirSync(draft, { recursive: true })
    for (const name of ['package.json', 'dist', ...(shared ? [] : ['node_modules'])]) {
      cpSync(join(checkout, name), join(draft, name), { recursive: true, verbatimSymlinks: true })
    }
    renameSync(draft, folder) // Another run may find all of it or none.
  } finally {
    rmSync(checkout, { recursive: true, force: true })
    rmSync(draft, { recursive: true, force: true })
  }
}

function sameLock(checkout: string): boolean {
  const [theirs, ours] = [checkout, root].map((folder) => join(folder, 'package-lock.json'))
  if (theirs === undefined || ours === undefined || !existsSync(theirs)) return false
  return readFileSync(theirs, 'utf8') === readFileSync(ours, 'utf8')
}

function npm(args: readonly string[], cwd: string, failed: string): void {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' })
  if (status === 0) return
  const said = `${stdout ?? ''}\n${stderr ?? ''}`
    .split('\n')
    .filter((line) => /error/i.test(line) && !line.startsWith('>')) // npm repeats the script behind a `>`.
  throw new CannotCompare(`${failed}: ${said[0]?.trim() ?? `npm ended with ${status}`}.`)
}
