import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { start } from '../cli/command.ts'

// Inside the repository, so that the page's handlers find the package.
const folder = mkdtempSync(join(import.meta.dirname, '../cli/.first-'))
afterAll(() => rmSync(folder, { recursive: true }))

const page = readFileSync(new URL('../../docs/getting-started.md', import.meta.url), 'utf8')
const hasCurl = spawnSync('curl', ['--version']).status === 0

test.skipIf(!hasCurl)(
  'a first event reaches a handler within a minute of the first command (needs curl)',
  async () => {
    const [, handlers = ''] = /```ts no-run\n([^]*?)```/.exec(page) ?? []
    writeFileSync(join(folder, 'handlers.mts'), handlers)
    const begun = performance.now()
    const running = start(['dev', 'handlers.mts', '--port', '0', '--fusionauth-port', '0'], { cwd: folder })
    const said = await running.says('inbox list')
    const curl = said.split('\n').find((line) => line.startsWith('  curl ')) ?? ''
    execFileSync('sh', ['-c', `${curl} --silent --show-error --fail`], { cwd: folder })
    await running.says(/200 kept +user\.create /)
    await running.says('welcome, ada@example.com')
    const tookMs = performance.now() - begun
    console.log(`first event after ${Math.round(tookMs)} ms`)
    expect(tookMs).toBeLessThan(60_000)
    running.child.kill('SIGTERM')
    await running.ended
  },
  70_000,
)

test('the page shows what dev prints', () => {
  for (const words of [
    'Webhook      http://127.0.0.1:3000',
    'Make something happen, in a second terminal:',
    'fusewire inbox list --inbox sqlite:inbox.db',
  ]) {
    expect(page).toContain(words)
  }
})
