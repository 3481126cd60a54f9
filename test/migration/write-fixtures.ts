// Writes the fixtures anew, by the real code of an earlier commit: node test/migration/write-fixtures.ts
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Client } from 'pg'
import type * as Schema from '../../src/engines/postgres/schema.ts'
import { ownServer } from '../postgres/server.ts'
import { dumpSchema } from './dump-schema.ts'
import { earlierCode, earlierCommit } from './earlier-code.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
using code = earlierCode()
if (code === undefined) throw new Error(`git does not know ${earlierCommit}: fetch the whole history`)

function fill(inbox: string): void {
  const { signal, stderr } = spawnSync(process.execPath, [
    join(here, 'fill-inbox.ts'),
    code?.folder ?? '',
    inbox,
  ])
  if (signal !== 'SIGKILL') throw new Error(`the inbox was not filled: ${stderr.toString()}`)
}

const folder = mkdtempSync(join(tmpdir(), 'fusewire-fixture-'))
const file = join(folder, 'inbox.db')
fill(`sqlite:${file}`)
const database = new DatabaseSync(file)
database.exec('pragma wal_checkpoint(truncate)')
database.close()
writeFileSync(join(here, `inbox-${earlierCommit}.db.gz`), gzipSync(readFileSync(file), { level: 9 }))
rmSync(folder, { recursive: true })

await using server = await ownServer()
fill(`postgres:${server.url}`)
const client = new Client(server.url)
await client.connect()
const { migrations } = (await import(
  pathToFileURL(join(code.folder, 'src/engines/postgres/schema.ts')).href
)) as typeof Schema
const tables = migrations.map(({ sql }) => sql('"fusewire"')).join('\n')
writeFileSync(join(here, `inbox-${earlierCommit}.sql`), await dumpSchema(client, '"fusewire"', tables))
await client.end()
