import { installExtra } from '../../scripts/install-extra.ts'

/** What vitest calls before the tests: installs what only tests need, once. */
export function setup(): void {
  for (const folder of ['test/frameworks', 'test/postgres']) installExtra(folder)
}
