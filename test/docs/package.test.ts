import { execFileSync } from 'node:child_process'
import { dirname, join, normalize } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { pages, proseOf, root } from './pages.ts'

/** What only the repository has: code, tests and what an image is built from. Pages say so where they link there. */
const inRepository = /^(src|test|bench|docs\/reference)\/|^(Dockerfile|compose\.yaml|CODE_OF_CONDUCT\.md)$/

let packed: ReadonlySet<string>
beforeAll(() => {
  const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root })
  const [{ files } = { files: [] }] = JSON.parse(out.toString()) as { files: { path: string }[] }[]
  packed = new Set(files.map(({ path }) => path))
})

test('every link of the packed README leads to a packed file', () => {
  expect(linksOf('README.md').filter((path) => !packed.has(path))).toEqual([])
})

test('every other link of a packed page leads to a packed file, or to code of the repository', () => {
  const pagesPacked = pages.filter((page) => packed.has(page))
  expect(pagesPacked.length).toBeGreaterThan(20)
  const dead = pagesPacked.flatMap((page) =>
    linksOf(page)
      .filter((path) => !packed.has(path) && !inRepository.test(path))
      .map((path) => `${page}: ${path}`),
  )
  expect(dead).toEqual([])
})

/** Files of the repository that a page links to, by their paths from the root. */
function linksOf(page: string): readonly string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, href = '']) => href.split('#')[0] ?? '')
    .filter((href) => href !== '' && !/^(https?|mailto):/.test(href))
    .map((href) => normalize(join(dirname(page), href)))
}
