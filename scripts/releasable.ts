import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Runs before `npm publish` and refuses a release that is not ready: package.json does not say where the project lives, the changelog has
 * no section for the version, or the commit does not carry the version's tag.
 */
const manifest: Record<string, unknown> = JSON.parse(readFileSync('package.json', 'utf8'))
const version = String(manifest['version'])

const problems = [
  ...['repository', 'homepage', 'bugs']
    .filter((field) => manifest[field] === undefined)
    .map((field) => `package.json has no "${field}": fill in where the project lives.`),
  ...(readFileSync('CHANGELOG.md', 'utf8').includes(`\n## ${version} `)
    ? []
    : [`CHANGELOG.md has no section "## ${version} (date)".`]),
  ...(tags().includes(`v${version}`) ? [] : [`This commit does not carry the tag v${version}.`]),
]

for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

function tags(): readonly string[] {
  return execFileSync('git', ['tag', '--points-at', 'HEAD'], { encoding: 'utf8' }).split('\n')
}
