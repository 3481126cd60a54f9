import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { answers, type Server } from './server.ts'

/** PgBouncer comes with the operating system, not with npm: where it is not, its tests are skipped. */
export const isInstalled: boolean = spawnSync('pgbouncer', ['--version']).error === undefined

/** A PgBouncer before the server, whose clients share its few connections. */
export async function pgbouncer(server: Server, mode: 'session' | 'transaction'): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-pgbouncer-'))
  const port = await freePort()
  const { hostname, port: serverPort, pathname, username, password } = new URL(server.url)
  const users = join(folder, 'users')
  const config = join(folder, 'config')
  writeFileSync(users, `"${username}" "${password}"\n`)
  writeFileSync(
    config,
    `
[databases]
* = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = ${mode === 'session' ? 80 : 10}
`,
  )
  for (const path of [folder, users, config]) chmodSync(path, 0o755)
  // It will not run as root.
  const as = userInfo().uid === 0 ? ['--user=nobody'] : []
  const child = spawn('pgbouncer', ['--quiet', ...as, config], { stdio: 'ignore' })
  const url = `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}`)
    await sleep(20)
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      await end(child)
      rmSync(folder, { recursive: true })
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
