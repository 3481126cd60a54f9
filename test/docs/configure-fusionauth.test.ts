import { execFile, spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { allOf, apiKey, signature, Webhook } from 'fusewire'
import { emulate } from 'fusewire/emulator'
import { serve } from 'fusewire/node'
import { memory } from 'fusewire/testing'
import { expect, test } from 'vitest'
import { blocksOf } from './pages.ts'

const noCurl = spawnSync('curl', ['--version']).error !== undefined

test.skipIf(noCurl)(
  'the API calls of docs/configure-fusionauth.md let a signed, gated deletion through',
  async () => {
    await using fusionauth = await emulate()
    const tenants = await fetch(`${fusionauth.url}/api/tenant`, {
      headers: { authorization: fusionauth.apiKey },
    })
    const {
      tenants: [tenant],
    } = (await tenants.json()) as { tenants: { id: string }[] } // A fresh FusionAuth has one.
    const env = {
      FUSIONAUTH: fusionauth.url,
      API_KEY: fusionauth.apiKey,
      TENANT_ID: tenant?.id,
      KEY_ID: randomUUID(),
      WEBHOOK_ID: randomUUID(),
      WEBHOOK_KEY: randomBytes(32).toString('hex'),
    }
    const [makeKey, ...calls] = blocksOf('docs/configure-fusionauth.md').filter(({ tag }) => tag === 'sh')
    const { key } = JSON.parse(await run(makeKey?.code ?? '', env))

    const seen: string[] = []
    const webhook = new Webhook({
      authenticate: allOf(apiKey(env.WEBHOOK_KEY), signature({ jwks: fusionauth.jwks, kid: key.kid })),
      inbox: memory(),
    })
    webhook.gate('user.delete', ({ event }) => seen.push(`${event.type} ${event.user.id}`))
    await using served = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
    for (const { code } of calls) await run(code, { ...env, WEBHOOK_URL: served.url })

    const { user } = await fusionauth.createUser()
    const deleted = await fusionauth.deleteUser(user.id)
    expect(seen).toEqual([`user.delete ${user.id}`])
    expect(deleted).toMatchObject({ committed: true, status: 200 })
    expect(deleted.events.map(({ type, attempts }) => [type, attempts.map(({ status }) => status)])).toEqual([
      ['user.delete', [200]],
      ['user.delete.complete', [200]],
    ])
  },
)

/** Not execFileSync: the emulator answers from this process. */
async function run(script: string, env: NodeJS.ProcessEnv): Promise<string> {
  const bash = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    env: { ...process.env, ...env },
  })
  return (await bash).stdout
}
