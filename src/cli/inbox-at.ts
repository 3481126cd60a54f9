import { existsSync } from 'node:fs'
import { codeOf } from '../model/errors.ts'
import type { Engine } from '../model/engine.ts'
import { type Failure, failureOf, missing, misused } from './failure.ts'
import { redacted } from './redact.ts'
import { asSecret } from './secret.ts'
import { text } from './text.ts'

/** An inbox that was named: `sqlite:FILE`, or `postgres:` and where its URL stands. */
export interface Place {
  /** Without secrets. */
  readonly shown: string
  readonly file?: string
  engine(options: { allowVolatile: boolean }): Promise<Engine>
}

/** Reads what `--inbox` or its like say. The engine's code is loaded when it is made. */
export function inboxAt(written: string, onCommandLine: boolean): Place {
  const [, kind, where = ''] = /^(sqlite|postgres):(.+)$/s.exec(written) ?? []
  const shown = redacted(written)
  if (kind === 'sqlite') {
    return {
      shown,
      file: where,
      engine: async (options) => (await import('../engines/sqlite/index.ts')).sqlite(where, options),
    }
  }
  if (kind === 'postgres') {
    const url = asSecret(where, '--inbox postgres:', onCommandLine)
    return {
      shown,
      engine: async () => (await import('../engines/postgres/index.ts')).postgres(() => url.read()),
    }
  }
  throw misused(text`--inbox takes sqlite:FILE or postgres:env:NAME, not ${shown}.`)
}

/** One that is there already: looking must not make an inbox where a name was misspelt. */
export async function openInbox(place: Place): Promise<Engine> {
  if (place.file !== undefined && !(await holdsInbox(place.file, place))) {
    throw missing(text`There is no inbox at ${place.file}. Name it with --inbox sqlite:FILE.`)
  }
  const engine = await place.engine({ allowVolatile: true }) // It is where it is; a receiver has the say.
  await opened(engine, place)
  return engine
}

/** Opening would make an inbox of any database, an application's too. */
async function holdsInbox(file: string, place: Place): Promise<boolean> {
  if (!existsSync(file)) return false
  const { DatabaseSync } = await import('node:sqlite')
  try {
    using db = new DatabaseSync(file, { readOnly: true })
    return db.prepare("select 1 from sqlite_schema where name = 'fw_meta'").get() !== undefined
  } catch (error) {
    throw unopened(error, place)
  }
}

/** Opens it, or says why not. */
export async function opened(engine: Engine, place: Place): Promise<void> {
  try {
    await engine.open()
  } catch (error) {
    const failure = unopened(error, place)
    await Promise.resolve(engine[Symbol.asyncDispose]()).catch(() => {}) // It never opened.
    throw failure
  }
}

function unopened(error: unknown, { shown }: Place): Failure {
  if (codeOf(error)?.startsWith('FW_') === true) return failureOf(error)
  const why = error instanceof Error ? error.message || codeOf(error) : String(error)
  return missing(text`The inbox ${shown} cannot be opened: ${why ?? 'unknown'}.`, { cause: error })
}
