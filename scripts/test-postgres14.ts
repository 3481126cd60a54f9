// Runs the engine contract and the tests of faults on PostgreSQL 14, the oldest version that the engine supports. Arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { installExtra } from './install-extra.ts'

installExtra('test/postgres14')
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const files = ['contract', 'faults', 'nodes', 'role', 'schema', 'version'].map(
  (name) => `test/postgres/${name}.test.ts`,
)
const { status } = spawnSync(process.execPath, [vitest, 'run', ...files, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, FUSEWIRE_POSTGRES: '14' },
})
process.exitCode = status ?? 1
