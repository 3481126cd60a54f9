import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { postgres } from 'fusewire/postgres'
import { sqlite } from 'fusewire/sqlite'
import { expect, test } from 'vitest'
import { anyServer, query, schema } from '../postgres/server.ts'
import { textOf } from './pages.ts'

const page = 'docs/inbox.md'

test('docs/inbox.md names every table and column of a SQLite inbox, the schema it is, and no other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-tables-'))
  const file = join(folder, 'inbox.db')
  const engine = sqlite(file)
  await engine.open()
  await engine[Symbol.asyncDispose]()
  const db = new DatabaseSync(file)
  const columns = db
    .prepare(
      `
      select t.name || '.' || c.name as name from sqlite_master t, pragma_table_info(t.name) c
      where t.type = 'table' and t.name not like 'sqlite_%'
      `,
    )
    .all()
  const version = db.prepare(`select value from fw_meta where name = 'schema'`).get()
  db.close()
  rmSync(folder, { recursive: true })

  expect(documented('### In SQLite')).toEqual(columns.map(({ name }) => String(name)).toSorted())
  expect(schemaOf('### In SQLite')).toBe(version?.['value'])
})

test('docs/inbox.md names every table and column of a PostgreSQL inbox, the schema it is, and no other', async () => {
  await using server = await anyServer()
  await using inbox = await schema(server)
  const engine = postgres(server.url, { schema: inbox.name })
  await engine.open()
  await engine[Symbol.asyncDispose]()
  const columns = await query(
    server.url,
    `
    select c.relname || '.' || a.attname as name
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped
    `,
    [inbox.name],
  )
  const [version] = await query(server.url, `select max(version) as version from ${inbox.name}.migrations`)

  expect(documented('### In PostgreSQL')).toEqual(columns.map(({ name }) => String(name)).toSorted())
  expect(schemaOf('### In PostgreSQL')).toBe(version?.['version'])
})

/**
 * Reads the table under a heading: in its first cell what stands between backticks are tables, in its last columns, which each of those
 * tables has. Gives `table.column`, sorted.
 */
function documented(heading: string): readonly string[] {
  const rows = sectionOf(heading).matchAll(/^\| (`.*?) \|.*\| (.*?) \|$/gm)
  return [...rows]
    .flatMap(([, tables = '', columns = '']) =>
      codeIn(tables).flatMap((table) => codeIn(columns).map((column) => `${table}.${column}`)),
    )
    .toSorted()
}

function schemaOf(heading: string): number {
  return Number(/schema (\d+)/.exec(sectionOf(heading))?.[1])
}

function sectionOf(heading: string): string {
  const [, section = ''] = textOf(page).split(`${heading}\n`)
  return section.split(/^##+ /m)[0] ?? ''
}

function codeIn(text: string): readonly string[] {
  return [...text.matchAll(/`(\w+)`/g)].map(([, word = '']) => word)
}
