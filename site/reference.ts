// Writes docs/reference/ from the doc comments of the public names. With --check it writes nothing and exits 1 when the folder is stale.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, type TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'

const root = fileURLToPath(new URL('..', import.meta.url))
const committed = join(root, 'docs/reference')

const manifest: { exports: Record<string, string | { types: string }> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)
/** The file behind each subpath: `./dist/http/node.d.ts` is made from `src/http/node.ts`. */
const entryPoints = Object.values(manifest.exports).flatMap((target) =>
  typeof target === 'string'
    ? []
    : join(root, target.types.replace('./dist/', 'src/').replace('.d.ts', '.ts')),
)

const options: TypeDocOptions & Partial<PluginOptions> = {
  plugin: ['typedoc-plugin-markdown'],
  entryPoints,
  tsconfig: join(root, 'tsconfig.build.json'),
  skipErrorChecking: true, // The project's own TypeScript checks the source: npm run types.
  name: 'Reference',
  readme: 'none',
  disableSources: true, // A line that moves would change every page.
  excludePrivate: true,
  excludeExternals: true,
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, notDocumented: false },
  jsDocCompatibility: { exampleTag: true },
  sort: ['kind', 'alphabetical'],
  kindSortOrder: ['Class', 'Function', 'Interface', 'TypeAlias'],
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  expandObjects: true,
  parametersFormat: 'table',
  propertiesFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  indexFormat: 'table',
  tableColumnSettings: { hideModifiers: true, hideInherited: true, hideOverrides: true },
  entryFileName: 'README',
  sanitizeComments: true,
}

const isCheck = process.argv.includes('--check')
const out = isCheck ? mkdtempSync(join(tmpdir(), 'fusewire-reference-')) : committed
const app = await Application.bootstrapWithPlugins({ ...options, out })
const project = await app.convert()
if (project !== undefined) {
  app.validate(project)
  await app.generateOutputs(project)
}
if (project === undefined || app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1
else if (isCheck) compare()
if (isCheck) rmSync(out, { recursive: true })

function compare(): void {
  const [wanted, present] = [textsIn(out), textsIn(committed)]
  const stale = [...new Set([...wanted.keys(), ...present.keys()])].filter(
    (file) => wanted.get(file) !== present.get(file),
  )
  if (stale.length === 0) return
  console.error(`docs/reference/ is stale (${stale.join(', ')}): run npm run docs:reference`)
  process.exitCode = 1
}

function textsIn(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.md'),
  )
  return new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
}
