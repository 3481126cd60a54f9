import { misused } from './failure.ts'
import { readBytes } from './files.ts'
import { text } from './text.ts'

/** How secrets are given, for help texts. */
export const secretWays = 'env:NAME, file:PATH or - (standard input)'

/**
 * The secret that `env:NAME`, `file:PATH` or `-` stands for. The secret itself is refused on a command line: every process of the machine
 * can read those, and shells remember them.
 */
export function readSecret(reference: string, option: string): string {
  const secret = secretAt(reference, option)
  if (secret === '') throw misused(text`${option}: the secret is empty.`)
  return secret
}

function secretAt(reference: string, option: string): string {
  if (reference === '-') return lineOf(readBytes('-', option))
  const [, way, place = ''] = /^(env|file):(.+)$/s.exec(reference) ?? []
  switch (way) {
    case 'env': {
      const secret = process.env[place]
      if (secret === undefined) throw misused(text`${option}: the environment variable ${place} is not set.`)
      return secret
    }
    case 'file':
      return lineOf(readBytes(place, option))
    default:
      throw misused(
        text`${option} takes ${secretWays}, not the secret itself: other processes can read a command line.`,
      )
  }
}

/** Without the newline an editor leaves at the end. */
function lineOf(bytes: Buffer): string {
  return bytes.toString().replace(/\r?\n$/, '')
}
