import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { type Block, blocksOf, pages, root } from './pages.ts'
import * as prelude from './prelude.ts'
import { publicNames } from './public-names.ts'

// Where an import finds the frameworks, and above them the packages of the repository.
const folder = mkdtempSync(join(root, 'test/frameworks/.docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Example extends Block {
  /** The subpath whose names it may use, beside those of the prelude, without importing them. */
  readonly subpath?: string
}

const examples: readonly Example[] = [
  ...pages.flatMap(blocksOf).filter(({ tag }) => /^ts\b/.test(tag)),
  ...publicNames().flatMap(({ at, subpath, doc = '' }) =>
    doc
      .split(/^@/m)
      .filter((tag) => tag.startsWith('example\n'))
      .map((tag) => ({ at, subpath, tag: 'ts', code: tag.replace('example\n', '') })),
  ),
]
for (const example of examples) writeFileSync(fileOf(example), await withImports(example))
// People need not be as strict with process.env as this repository is.
const compilerOptions = { noPropertyAccessFromIndexSignature: false }
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({ extends: '../../../tsconfig.json', compilerOptions, include: ['*.ts'] }),
)

test('every example type-checks', async () => {
  expect(examples.length).toBeGreaterThan(10)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const said = await new Promise<string>((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder], { cwd: root }, (_, stdout) => resolve(stdout))
  })
  // What is wrong in src is for another check to say.
  expect(said.split('\n').filter((line) => line.includes(basename(folder)))).toEqual([])
}, 60_000)

for (const example of examples.filter(({ tag }) => tag === 'ts')) {
  if (example.code.includes("from 'vitest'")) {
    describe(example.at, () => run(example)) // Its tests become ours.
  } else {
    test(`${example.at} runs`, () => run(example))
  }
}

/** Each on a prelude of its own: handlers of two examples may have one name. */
async function run(example: Block): Promise<void> {
  vi.resetModules()
  await import(/* @vite-ignore */ fileOf(example))
}

function fileOf({ at }: Block): string {
  return join(folder, `${at.replaceAll(/\W+/g, '-')}.ts`)
}

/** Imports what the code uses of its subpath and of the prelude, and does not bind itself. */
async function withImports({ code, subpath }: Example): Promise<string> {
  const own = subpath === undefined ? {} : await import(/* @vite-ignore */ subpath)
  const used = (names: readonly string[]) =>
    names.filter((name) => new RegExp(`\\b${name}\\b`).test(code) && !binds(code, name))
  const fromSubpath = used(Object.keys(own))
  const fromPrelude = used(Object.keys(prelude)).filter((name) => !fromSubpath.includes(name))
  return [
    ...(subpath === undefined ? [] : [`import { ${fromSubpath.join(', ')} } from '${subpath}'`]),
    `import { ${fromPrelude.join(', ')} } from '../../docs/prelude.ts'`,
    `${code}\nexport {}\n`,
  ].join('\n')
}

function binds(code: string, name: string): boolean {
  return new RegExp(`import .*\\b${name}\\b.* from|(const|let|function) ${name}\\b`).test(code)
}
