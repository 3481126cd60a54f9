import { asList, type OneOrMore } from '../../lib/one-or-more.ts'
import { FusewireError } from '../../model/errors.ts'

/** A secret, or a function that fetches it when the webhook starts (or at the first request, if nobody starts it). */
export type Secret = string | undefined | (() => string | undefined | Promise<string | undefined>)

/** The secrets of one option. */
export interface SecretReader {
  /** Calls the functions among them. Rejects when no value is set; call it again then. */
  read(): Promise<readonly string[]>
}

/**
 * Checks literal secrets now, and those of functions when they are read. In a list, `undefined` is left out: it is the second key while no
 * rotation is in progress. Alone it is an error.
 */
export function createSecretReader(given: OneOrMore<Secret>, option: string): SecretReader {
  const list = asList(given)
  const literals = list.filter((secret) => typeof secret !== 'function')
  for (const secret of literals) checkNotBlank(secret, option)
  if (literals.length === list.length) checkSome(literals, option)
  return {
    async read() {
      const values = await Promise.all(
        list.map(async (secret) => (typeof secret === 'function' ? secret() : secret)),
      )
      for (const value of values) checkNotBlank(value, option)
      return checkSome(values, option)
    },
  }
}

function checkNotBlank(value: unknown, option: string): void {
  if (value === undefined) return
  if (typeof value !== 'string' || value.trim() === '') {
    throw new FusewireError(
      'FW_KEY_MISSING',
      `${option} is blank or not a string. Give it a secret of at least 16 bytes.`,
    )
  }
}

function checkSome(values: readonly (string | undefined)[], option: string): readonly string[] {
  const given = values.filter((value) => value !== undefined)
  if (given.length > 0) return given
  throw new FusewireError(
    'FW_KEY_MISSING',
    `${option} is undefined. If it comes from the environment, set the variable; without a secret no request could be admitted.`,
  )
}
