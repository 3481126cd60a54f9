import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

const bench = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', 'bench/run.ts', ...args])

test.each(['verify', 'receive', 'inbox'])(
  '%s runs, says its targets and writes its figures',
  async (name) => {
    const file = join(folder, `${name}.json`)
    const { stdout } = await bench(name, '--quick', '--json', file)
    expect(stdout).toMatch(/[✓✗] /)
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).not.toHaveLength(0)
  },
  120_000,
)

test('an unknown name is answered with the ones there are', async () => {
  await expect(bench('nothing')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('verify') })
})
