import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Every module that importing this one loads, and what of them is neither node's nor ours. */
function importsOf(module: URL, seen = new Set<string>(), foreign: string[] = []): readonly string[] {
  if (seen.has(module.href)) return foreign
  seen.add(module.href)
  const source = readFileSync(module, 'utf8').replaceAll(/^import type .*$|\/\*\*[^]*?\*\//gm, '') // Types and doc comments load nothing.
  for (const [, specifier = ''] of source.matchAll(/(?:from|import) ?\(?'([^'\s\\]+)'/g)) {
    if (specifier.startsWith('.')) importsOf(new URL(specifier, module), seen, foreign)
    else if (!specifier.startsWith('node:')) foreign.push(specifier)
  }
  return foreign
}

test.each([
  'index.ts',
  'http/node.ts',
  'http/fastify.ts',
  'http/aws-lambda.ts',
  'engines/sqlite/index.ts',
  'emulator/index.ts',
  'testing/index.ts',
])('src/%s needs nothing but node', (face) => {
  expect(importsOf(new URL(`../../src/${face}`, import.meta.url))).toEqual([])
})

test('src/engines/postgres needs pg alone, and that only when it opens a url', () => {
  const face = new URL('../../src/engines/postgres/index.ts', import.meta.url)
  expect(importsOf(face)).toEqual(['pg']) // The import of a url's pool; types are none.
})

test('the package has no dependencies and runs nothing when it is installed', () => {
  const manifest: Record<string, Record<string, string> | undefined> = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  expect(manifest['dependencies']).toBeUndefined()
  const scripts = Object.keys(manifest['scripts'] ?? {})
  expect(scripts.filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([])
})
