import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { apiKey, Webhook } from 'fusewire'
import { emulate } from 'fusewire/emulator'
import { serve } from 'fusewire/node'
import { sqlite } from 'fusewire/sqlite'
import { expect, test } from 'vitest'
import { blocksOf, root } from './pages.ts'

const lacking = ['curl', 'jq'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined)

test.skipIf(lacking.length > 0)(
  'the commands of docs/runbook.md find what was missed and hand it to the receiver (needs curl and jq)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fusewire-runbook-'))
    const command = `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${join(root, 'dist/cli/main.js')}' "$@"\n`
    writeFileSync(join(folder, 'fusewire'), command, { mode: 0o755 })
    const WEBHOOK_KEY = 'the key FusionAuth sends'
    const webhook = new Webhook({
      authenticate: apiKey(WEBHOOK_KEY),
      inbox: sqlite(join(folder, 'inbox.db'), { allowVolatile: true }),
    })
    await using served = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
    await using fusionauth = await emulate()
    await fusionauth.connect(served.url, { name: 'receiver', headers: { Authorization: WEBHOOK_KEY } })

    await fusionauth.createUser({ email: 'ada@example.com' })
    const before = (await webhook.inbox.stats()).events
    fusionauth.fault('receiver', { kind: 'drop' })
    const { events } = await fusionauth.createUser({ email: 'bob@example.com' })
    fusionauth.fault('receiver', 'none')
    expect(before).toBeGreaterThan(0)
    expect((await webhook.inbox.stats()).events).toBe(before)

    const env = {
      PATH: [folder, process.env['PATH']].join(delimiter),
      FUSIONAUTH: fusionauth.url,
      API_KEY: fusionauth.apiKey,
      FROM: String(Date.now() - 60_000),
      UNTIL: String(Date.now() + 60_000),
      WEBHOOK_URL: served.url,
      WEBHOOK_KEY,
      FUSEWIRE_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    }
    const blocks = blocksOf('docs/runbook.md').filter(({ tag }) => tag === 'sh')
    expect(blocks.length).toBe(3)
    for (const { code } of blocks) {
      await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', code], { cwd: folder, env })
    }

    const missed = events.map(({ id }) => id)
    expect(missed.length).toBe(before)
    for (const id of missed) expect(await webhook.inbox.get(id)).toMatchObject({ key: { id } })
    expect((await webhook.inbox.stats()).events).toBe(2 * before)
    rmSync(folder, { recursive: true })
  },
  60_000,
)
