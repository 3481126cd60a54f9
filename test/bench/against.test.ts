import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { importFrom } from '../../bench/lib/build.ts'
import { buildCommit } from '../../bench/lib/builds.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-against-'))
const builds: string[] = []
afterAll(() => {
  for (const made of [folder, ...builds]) rmSync(made, { recursive: true, force: true })
})

const run = promisify(execFile)
const bench = (...args: readonly string[]) =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', 'bench/run.ts', ...args])

const noRepository = existsSync('.git') ? undefined : 'comparing needs the git repository'

test('a benchmark is measured beside the build of a commit, by CPU time, in the same rounds', async (context) => {
  if (noRepository !== undefined) return context.skip(noRepository)
  const file = join(folder, 'receive.json')
  const { stdout } = await bench('receive', '--quick', '--rounds', '2', '--against', 'HEAD', '--json', file)
  expect(stdout).toMatch(/[✓✗] fusewire: CPU µs\/request, today \/ HEAD: .*, at most 1.03/)
  expect(stdout).toContain('fusewire: requests/s, today / HEAD: ')
  expect(stdout).toContain('fusewire: p99 ms, today / HEAD: ')
  expect(stdout).not.toContain('express')
  const { rounds, subjects } = JSON.parse(readFileSync(file, 'utf8'))
  expect(rounds).toBe(2)
  expect(subjects.map(({ name }: { name: string }) => name)).toEqual(['fusewire', 'fusewire, HEAD'])
}, 180_000)

test.each([
  [
    'a commit that is not there',
    ['receive', '--against', 'no-such-commit'],
    "There is no commit 'no-such-commit' in this repository.",
  ],
  [
    'a benchmark of other things',
    ['verify', '--against', 'HEAD'],
    'The benchmark verify cannot be compared with a commit: it does not run the built package.',
  ],
])(
  '%s is answered in one sentence',
  async (_, args, sentence) => {
    await expect(bench(...args)).rejects.toMatchObject({ code: 2, stdout: '', stderr: `${sentence}\n` })
  },
  120_000,
)

test('no rounds are refused', async () => {
  await expect(bench('receive', '--rounds', '0')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--rounds is a whole number above 0, not '0'."),
  })
})

describe('the build of a commit', () => {
  /** A repository with one commit, whose dependencies are ours. */
  function repository(build: string): string {
    const made = mkdtempSync(join(folder, 'repository-'))
    const exports = { '.': { default: './dist/index.js' } }
    writeFileSync(join(made, 'package.json'), JSON.stringify({ type: 'module', scripts: { build }, exports }))
    copyFileSync('package-lock.json', join(made, 'package-lock.json'))
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd: made })
    git('init', '--quiet')
    git('add', '.')
    git('commit', '--quiet', '-m', 'a')
    return made
  }

  test('is made once, from what was committed, and imported by subpath', async () => {
    const from = repository(`mkdir dist && echo "export const at = $(date +%s%N)" > dist/index.js`)
    const doing: string[] = []
    const [first, second] = [1, 2].map(() => buildCommit('HEAD', (what) => doing.push(what), from))
    builds.push(first?.folder ?? '')
    expect(doing).toEqual(['building HEAD'])
    expect(second).toEqual(first)
    expect(await importFrom(first ?? { name: '', folder: '' }, '.')).toMatchObject({ at: expect.any(Number) })
    await expect(importFrom(first ?? { name: '', folder: '' }, './sqlite')).rejects.toThrow(
      "The build of HEAD does not export './sqlite'.",
    )
  })

  test('that fails says so in one sentence and is not kept', () => {
    const from = repository(`echo "index.ts(1,1): error TS1005: ';' expected" && exit 2`)
    const build = () => buildCommit('HEAD', () => {}, from)
    const sentence = "Commit 'HEAD' does not build: index.ts(1,1): error TS1005: ';' expected."
    expect(build).toThrow(sentence)
    expect(build).toThrow(sentence)
  })
})
