import { readFileSync, writeFileSync } from 'node:fs'
import { markdownTable } from './markdown-table.ts'

/**
 * Which folder of src/ may import which others. Two files are written from this table: `oxlint-imports.json`, the linter's rules, and the table
 * in CONTRIBUTING.md. `--check` fails when one of them is out of date.
 */
export const importRules: readonly ImportRule[] = [
  { folder: 'cli', may: 'everything' },
  { folder: 'index.ts', may: ['webhook', 'inbox', 'receive', 'events', 'model', 'lib'] },
  { folder: 'server', may: ['http', 'webhook', 'inbox', 'telemetry', 'events', 'model', 'lib'] },
  { folder: 'http', may: ['webhook', 'events', 'model', 'lib'] },
  { folder: 'testing', may: ['webhook', 'engines/memory', 'events', 'model', 'lib'] },
  { folder: 'webhook', may: ['inbox', 'receive', 'deliver', 'telemetry', 'events', 'model', 'lib'] },
  { folder: 'inbox', may: ['events', 'model', 'lib'] },
  { folder: 'receive', may: ['events', 'model', 'lib'] },
  { folder: 'deliver', may: ['events', 'model', 'lib'] },
  { folder: 'telemetry', may: ['events', 'model', 'lib'] },
  { folder: 'emulator', may: ['events', 'model', 'lib'] },
  { folder: 'engines/memory', may: ['events', 'model', 'lib'] },
  { folder: 'engines/sqlite', may: ['events', 'model', 'lib'] },
  { folder: 'engines/postgres', may: ['events', 'model', 'lib'] },
  { folder: 'events', may: ['model', 'lib'] },
  { folder: 'model', may: ['lib'] },
  { folder: 'lib', may: [] },
]

export interface ImportRule {
  readonly folder: string
  readonly may: 'everything' | readonly string[]
}

/** The linter's overrides: one for each folder that may not import everything. */
function overrides(): unknown {
  return importRules.flatMap(({ folder, may }) => {
    if (may === 'everything') return []
    const banned = importRules
      .map((other) => other.folder)
      .filter((other) => other !== folder && other !== 'index.ts' && !may.includes(other))
    const message = `src/${folder} may import ${may.length === 0 ? 'nothing of the other folders' : may.join(', ')} (scripts/import-rules.ts).`
    const patterns = [
      { regex: `^[./]+(?:src/)?(?:${banned.map(withoutParent).join('|')})/`, message },
      {
        regex: '^(?:[.]+/)+index[.]ts$|^fusewire(?:/|$)',
        message: 'Import the file that defines the thing.',
      },
    ]
    const paths = timed.includes(folder) ? [realTimers] : []
    const files = [folder.endsWith('.ts') ? `src/${folder}` : `src/${folder}/**`]
    return [{ files, rules: { 'no-restricted-imports': ['error', { paths, patterns }] } }]
  })
}

/** Folders whose tests must be able to own the time. .oxlintrc.json bans the global timers, Date.now and Math.random in the same ones. */
const timed = ['webhook', 'inbox', 'receive', 'deliver', 'emulator', 'engines/memory', 'events', 'model']
const realTimers = {
  name: 'node:timers/promises',
  importNames: ['setTimeout', 'setInterval'],
  message: 'Time comes in through Clock.',
}

/** From one engine another is `../../sqlite/…`, from elsewhere `../engines/sqlite/…`. */
function withoutParent(folder: string): string {
  return folder.replace('engines/', '(?:engines/)?')
}

function linterRules(): string {
  return `${JSON.stringify({ overrides: overrides() }, null, 2)}\n`
}

/** The text between the two marks of CONTRIBUTING.md. */
function table(): string {
  const groups = Map.groupBy(importRules, ({ may }) => (may === 'everything' ? may : may.join(', ')))
  const rows = [...groups].map(([may, rules]) => {
    const folders = rules.map(({ folder }) => `\`${folder}\``).join(' ')
    return [folders, may === '' ? 'nothing' : may]
  })
  return markdownTable(['Folder of `src/`', 'may import'], rows)
}

const begin = '<!-- Written by scripts/import-rules.ts -->'
const end = '<!-- end -->'

function contributing(text: string): string {
  const [before = '', rest = ''] = text.split(begin)
  const after = rest.slice(rest.indexOf(end))
  return `${before}${begin}\n\n${table()}\n\n${after}`
}

if (import.meta.main) {
  const root = new URL('../', import.meta.url)
  const page = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8')
  for (const [name, wanted] of [
    ['oxlint-imports.json', linterRules()],
    ['CONTRIBUTING.md', contributing(page)],
  ] as const) {
    const file = new URL(name, root)
    if (!process.argv.includes('--check')) writeFileSync(file, wanted)
    else if (readFileSync(file, 'utf8') !== wanted) {
      console.error(`${name} is out of date: run node scripts/import-rules.ts`)
      process.exitCode = 1
    }
  }
}
