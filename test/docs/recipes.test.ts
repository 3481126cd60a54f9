import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKey, signature, allOf, Webhook } from 'fusewire'
import { emulate } from 'fusewire/emulator'
import { serve } from 'fusewire/node'
import { memory, request } from 'fusewire/testing'
import { expect, test, vi } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { blocksOf } from './pages.ts'

const key = 'the key FusionAuth sends'
const secret = 'a secret that FusionAuth and we share'

function blockOf(tag: string): string {
  const [block] = blocksOf('docs/recipes.md').filter((one) => one.tag === tag)
  return block?.code ?? ''
}

test('the kickstart file of docs/recipes.md lets a gated deletion through', async () => {
  const seen: string[] = []
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: memory() })
  webhook.gate('user.delete', ({ event }) => seen.push(event.user.id))
  await using served = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
  vi.stubEnv('FUSIONAUTH_API_KEY', 'a key of this test')
  vi.stubEnv('FUSIONAUTH_WEBHOOK_URL', served.url)
  vi.stubEnv('FUSIONAUTH_WEBHOOK_KEY', key)
  await using fusionauth = await emulate({ kickstart: JSON.parse(blockOf('json')) })
  vi.unstubAllEnvs()
  const { user } = await fusionauth.createUser()
  expect(await fusionauth.deleteUser(user.id)).toMatchObject({ committed: true })
  expect(seen).toEqual([user.id])
})

const proxies = [
  ['nginx', (port: number) => nginx(port)],
  ['haproxy', (port: number) => haproxy(port)],
] as const

for (const [name, start] of proxies) {
  test.skipIf(spawnSync(name, ['-v']).error !== undefined)(
    `the ${name} configuration of docs/recipes.md passes signed events of 2 MiB on (needs ${name})`,
    async () => {
      const webhook = new Webhook({
        authenticate: allOf(apiKey(key), signature({ secret })),
        inbox: memory(),
      })
      await using served = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
      await using proxy = await start(Number(new URL(served.url).port))
      const big = { user: { data: { notes: 'é'.repeat(1024 * 1024) } } }
      const sent = request('user.create', big, { apiKey: key, sign: { secret } })
      const body = await sent.arrayBuffer()
      const post = (headers: Headers | Record<string, string>) =>
        fetch(proxy.url, { method: 'POST', headers, body })
      await vi.waitFor(async () => expect((await post(sent.headers)).status).toBe(200), 5_000)
      const other = await post({
        ...Object.fromEntries(sent.headers),
        authorization: 'a guess of a stranger',
      })
      expect(other.status).toBe(401)
      expect((await webhook.inbox.stats()).events).toBe(1)
    },
    20_000,
  )
}

interface Proxy extends AsyncDisposable {
  readonly url: string
}

/** The page's server, without TLS, at a free port and in a folder of its own. */
async function nginx(receiver: number): Promise<Proxy> {
  const port = await freePort()
  const http = blockOf('nginx')
    .replace('127.0.0.1:3000', `127.0.0.1:${receiver}`)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port}`)
    .replaceAll(/^ *ssl_.*\n/gm, '')
  return proxy('nginx', port, (folder) => {
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (one) => `${one}_temp_path ${folder}/${one};`,
    )
    const file = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/log; events {}
      http { access_log off; ${paths.join(' ')}\n${http} }`
    return { file, args: (config) => ['-c', config, '-e', `${folder}/log`] }
  })
}

async function haproxy(receiver: number): Promise<Proxy> {
  const port = await freePort()
  const file = blockOf('haproxy')
    .replace('127.0.0.1:3000', `127.0.0.1:${receiver}`)
    .replace(/bind :443 .*/, `bind 127.0.0.1:${port}`)
  return proxy('haproxy', port, () => ({ file, args: (config) => ['-db', '-f', config] }))
}

async function proxy(
  name: string,
  port: number,
  configure: (folder: string) => { file: string; args: (config: string) => string[] },
): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), `fusewire-${name}-`))
  const { file, args } = configure(folder)
  const config = join(folder, 'config')
  writeFileSync(config, file)
  const child = spawn(name, args(config), { stdio: 'ignore' })
  return {
    url: `http://127.0.0.1:${port}/fusionauth-webhook`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
      rmSync(folder, { recursive: true })
    },
  }
}
