import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, textOf } from './pages.ts'

test('docs/errors.md explains every code of an error, once, and no other', () => {
  const source = readFileSync(new URL('../../src/model/errors.ts', import.meta.url), 'utf8')
  const [union = ''] = /export type ErrorCode =\n(?: {2}\|.*\n)+/.exec(source) ?? []
  const codes = [...union.matchAll(/'(FW_\w+)'/g)].map(([, code]) => code)
  expect(codes.length).toBeGreaterThan(10)
  const explained = [...textOf('docs/errors.md').matchAll(/^### (FW_\w+)$/gm)].map(([, code]) => code)
  expect(new Set(explained)).toEqual(new Set(codes))
  expect(explained.length).toBe(codes.length)
})

test('every FW_OPTION is thrown by wrongOption, which asks for the name of the option', () => {
  const others = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) =>
      !file.endsWith(join('model', 'errors.ts')) &&
      /FusewireError\(\s*'FW_OPTION'/.test(readFileSync(join(root, file), 'utf8')),
  )
  expect(others).toEqual([])
})
