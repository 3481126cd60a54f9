import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, textOf } from './pages.ts'

const page = textOf('docs/architecture.md')

test('every file that docs/architecture.md names is there', () => {
  const files = [...page.matchAll(/`(src\/[\w/.-]+)`/g)].map(([, file = '']) => file)
  expect(files.length).toBeGreaterThan(20)
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
})

test('docs/architecture.md explains every folder of src, and no other', () => {
  const [, table = ''] = /\| folder of `src\/` \|.*\n.*\n((?:\|.*\n)+)/.exec(page) ?? []
  const explained = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, folder]) => folder)
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((one) => one.isDirectory())
  expect(new Set(explained)).toEqual(new Set(folders.map(({ name }) => name)))
})
