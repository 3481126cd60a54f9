import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isObject } from '../lib/json-object.ts'
import { codeOf } from '../lib/code-of.ts'
import type { Engine } from '../model/engine.ts'
import { Failure, failureOf, missing, misused } from './failure.ts'
import { redact } from './redact.ts'
import { asSecret } from './secret.ts'
import { text } from './text.ts'

const SQLITE_NOTADB = 26

/** The place of an inbox: `sqlite:FILE`, or `postgres:` and where to read its URL. */
export interface InboxPlace {
  /** Without secrets. */
  readonly shown: string
  /** Whether an inbox exists there. Opening would create one, also in an application's database. */
  exists(): Promise<boolean>
  /** Imports the engine's code and creates the engine. */
  engine(options: { allowVolatile: boolean }): Promise<Engine>
}

/** Parses `--inbox` and `--schema`. */
export function parseInboxPlace(written: string, onCommandLine: boolean, schema = 'fusewire'): InboxPlace {
  const [, kind, where = ''] = /^(sqlite|postgres):(.+)$/s.exec(written) ?? []
  const shown = redact(written)
  switch (kind) {
    case 'sqlite':
      return {
        shown,
        exists: () => fileHoldsInbox(where),
        async engine(options) {
          checkFile(where)
          return (await import('../engines/sqlite/index.ts')).sqlite(where, options)
        },
      }
    case 'postgres': {
      const url = asSecret(where, '--inbox postgres:', onCommandLine)
      return {
        shown,
        exists: () => databaseHoldsInbox(url.read(), schema),
        engine: async () =>
          (await import('../engines/postgres/index.ts')).postgres(() => url.read(), { schema }),
      }
    }
    default:
      throw misused(text`--inbox takes sqlite:FILE or postgres:env:NAME, not ${shown}.`)
  }
}

/** Opens an inbox that exists. It creates none, since the name may be misspelt. */
export async function openEngine(place: InboxPlace): Promise<Engine> {
  const exists = await place.exists().catch((error: unknown) => {
    throw openFailure(error, place)
  })
  if (!exists)
    throw missing(
      text`There is no inbox at ${place.shown}. Name it with --inbox sqlite:FILE or postgres:env:NAME.`,
    )
  const engine = await place.engine({ allowVolatile: true }) // It is where it is; a receiver has the say.
  await opened(engine, place)
  return engine
}

/** Explains the common reasons, because SQLite's error gives none. */
function checkFile(file: string): void {
  if (existsSync(file) && statSync(file).isDirectory())
    throw missing(text`${file} is a folder: an inbox is a file, as in sqlite:${join(file, 'inbox.db')}.`)
  if (!existsSync(dirname(resolve(file))))
    throw missing(text`There is no folder ${dirname(file)} to keep an inbox in.`)
}

async function fileHoldsInbox(file: string): Promise<boolean> {
  if (!existsSync(file)) return false
  checkFile(file)
  const { DatabaseSync } = await import('node:sqlite')
  using db = new DatabaseSync(file, { readOnly: true })
  return db.prepare("select 1 from sqlite_schema where name = 'fw_meta'").get() !== undefined
}

async function databaseHoldsInbox(url: string, schema: string): Promise<boolean> {
  const pg = await import('pg').catch(() => undefined)
  if (pg === undefined) return true // The engine says best that it is missing.
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  await client.connect()
  try {
    return (await client.query('select 1 from pg_namespace where nspname = $1', [schema])).rowCount === 1
  } finally {
    await client.end()
  }
}

/** Opens an engine. Rejects with a Failure that gives the reason. */
async function opened(engine: Engine, place: InboxPlace): Promise<void> {
  try {
    await engine.open()
  } catch (error) {
    const failure = openFailure(error, place)
    await Promise.resolve(engine[Symbol.asyncDispose]()).catch(() => {}) // It never opened.
    throw failure
  }
}

/** The reason why an inbox did not open, as a Failure. */
export function openFailure(error: unknown, { shown }: InboxPlace): Failure {
  if (error instanceof Failure) return error
  if (codeOf(error) === 'FW_DISK_NOT_DURABLE')
    return missing(text`${failureOf(error).told} Here: --allow-volatile.`, { cause: error })
  if (codeOf(error)?.startsWith('FW_') === true) return failureOf(error)
  if (isObject(error) && error['errcode'] === SQLITE_NOTADB)
    return missing(text`${shown} is no SQLite database.`, { cause: error })
  const why = error instanceof Error ? error.message || codeOf(error) : String(error)
  return missing(text`The inbox ${shown} cannot be opened: ${why ?? 'unknown'}.`, { cause: error })
}
