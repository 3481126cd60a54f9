import type { Build } from '../lib/build.ts'
import { type OwnServer, ownServer, query } from '../../test/postgres/server.ts'

let starting: Promise<OwnServer> | undefined
let databases = 0

/** A database for a subject with a build, on the one server that all subjects share. The last to leave stops it. */
export async function database(
  subject: string,
  build: Build,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const name = `${subject} ${build.name}`.replaceAll(/\W/g, '_')
  databases++
  starting ??= ownServer({ max_connections: '200', shared_buffers: '512MB', max_wal_size: '4GB' })
  const server = await starting
  await query(server.url, `create database "${name}"`)
  const url = new URL(server.url)
  url.pathname = name
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      if (--databases > 0) return
      starting = undefined
      await server[Symbol.asyncDispose]()
    },
  }
}
