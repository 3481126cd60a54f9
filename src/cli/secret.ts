import { misused } from './failure.ts'
import { readBytes } from './read-bytes.ts'
import { text } from './text.ts'

/** How a secret can be given, for help texts. */
export const secretWays = 'env:NAME, file:PATH or - (standard input)'

/** A secret that the command line, the environment or a config file names, not read yet. */
export interface GivenSecret {
  /** Where the secret is, or `(hidden)`. */
  readonly shown: string
  read(): string
}

/**
 * The secret that `env:NAME`, `file:PATH` or `-` stands for. The secret itself is refused on a command line: every process of the machine
 * can read those, and shells remember them. The environment and a config file may hold it.
 */
export function asSecret(written: string, option: string, onCommandLine: boolean): GivenSecret {
  if (isReference(written)) return { shown: written, read: () => checked(secretAt(written, option), option) }
  if (!onCommandLine) return { shown: '(hidden)', read: () => checked(written, option) }
  throw misused(
    text`${option} takes ${secretWays}, not the secret itself: other processes can read a command line.`,
  )
}

/** Reads the secret that a flag names. */
export function readSecret(reference: string, option: string): string {
  return asSecret(reference, option, true).read()
}

/** Checks a secret for use in a header. fetch would refuse others with an error that repeats them. */
export function forHeader(secret: string, option: string): string {
  if (/^[\x21-\x7e]+(?: +[\x21-\x7e]+)*$/.test(secret)) return secret
  throw misused(text`${option}: the secret must be printable ASCII to stand in a header.`)
}

function checked(secret: string, option: string): string {
  if (secret !== '') return secret
  throw misused(text`${option}: the secret is empty.`)
}

export function isReference(written: string): boolean {
  return /^(?:env:.+|file:.+|-)$/s.test(written)
}

function secretAt(reference: string, option: string): string {
  if (reference === '-') return lineOf(readBytes('-', option))
  const place = reference.slice(reference.indexOf(':') + 1)
  if (reference.startsWith('file:')) return lineOf(readBytes(place, option))
  const secret = process.env[place]
  if (secret === undefined) throw misused(text`${option}: the environment variable ${place} is not set.`)
  return secret
}

/** The text without the newline that editors add at the end. */
function lineOf(bytes: Buffer): string {
  return bytes.toString().replace(/\r?\n$/, '')
}
