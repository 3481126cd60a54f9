import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = promisify(execFile)
const bench = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', 'bench/run.ts', ...args], { env })

test.each(['verify', 'receive', 'import', 'inbox'])(
  '%s runs, says its targets and writes its figures',
  async (name) => {
    const file = join(folder, `${name}.json`)
    const { stdout } = await bench([name, '--quick', '--json', file])
    const { subjects, targets } = JSON.parse(readFileSync(file, 'utf8'))
    expect(targets.length).toBeGreaterThan(0)
    for (const target of targets) {
      expect(stdout).toContain(`${target.holds ? '✓' : '✗'} ${target.name}`)
      expect(target.median).toBeGreaterThan(0)
    }
    for (const { figures } of subjects) {
      for (const { each } of Object.values<{ each: number[] }>(figures)) {
        expect(each.every((value) => value >= 0)).toBe(true)
      }
    }
  },
  300_000,
)

test('autocannon is the load where there is no wrk', async () => {
  const { stdout } = await bench(['receive', '--quick'], { ...process.env, PATH: folder })
  expect(stdout).toContain('from autocannon')
}, 300_000)

test.each([
  ['an unknown name', ['nothing'], 'There is no benchmark nothing: choose '],
  ['no name', [], 'Name one benchmark.'],
  ['an unknown option', ['verify', '--fast'], '--fast'],
])('%s is answered with what there is', async (_, args, words) => {
  const ended = bench(args)
  await expect(ended).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(words) })
  await expect(ended).rejects.toMatchObject({ stderr: expect.stringContaining('verify') })
})
