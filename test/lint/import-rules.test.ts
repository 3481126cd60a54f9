import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { importRules, type ImportRule } from '../../scripts/import-rules.ts'

const root = join(import.meta.dirname, '../..')
const folders = importRules.map(({ folder }) => folder).filter((folder) => folder !== 'index.ts')

/** One file for each import that a folder could make of another, from the folder itself and from one below it. */
const probes = folders.flatMap((from) =>
  [...folders.filter((to) => to !== from), 'index.ts'].flatMap((to) =>
    ['', 'deeper'].map((below) => ({
      from,
      to,
      file: join('src', from, below, `imports-${to.replace('/', '-')}.ts`),
    })),
  ),
)

let refused: ReadonlySet<string>
const folder = mkdtempSync(join(tmpdir(), 'fusewire-lint-'))

beforeAll(() => {
  for (const name of ['.oxlintrc.json', 'oxlint-imports.json']) {
    copyFileSync(join(root, name), join(folder, name))
  }
  for (const { to, file } of probes) {
    const target = to === 'index.ts' ? 'src/index.ts' : `src/${to}/thing.ts`
    const specifier = relative(dirname(file), target)
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), `import type { Thing } from '${specifier}'\nexport type Same = Thing\n`)
  }
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
  const { stdout } = spawnSync(process.execPath, [oxlint, '--format=json', '.'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  })
  const { diagnostics }: { diagnostics: readonly { code: string; filename: string }[] } = JSON.parse(stdout)
  refused = new Set(
    diagnostics.filter(({ code }) => code.includes('no-restricted-imports')).map(({ filename }) => filename),
  )
})

afterAll(() => rmSync(folder, { recursive: true }))

test.each(importRules.filter(({ folder }) => folder !== 'index.ts'))(
  'the linter holds src/$folder to the table',
  ({ folder, may }) => {
    const own = probes.filter(({ from }) => from === folder)
    expect(own.filter(({ file }) => refused.has(file)).map(({ to, file }) => [to, file])).toEqual(
      own.filter(({ to }) => !allowed(may, to)).map(({ to, file }) => [to, file]),
    )
  },
)

test('one engine may not import another', () => {
  expect(refused.has('src/engines/sqlite/deeper/imports-engines-postgres.ts')).toBe(true)
})

function allowed(may: ImportRule['may'], to: string): boolean {
  return may === 'everything' || may.includes(to)
}
