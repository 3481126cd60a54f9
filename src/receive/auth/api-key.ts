import type { OneOrMore } from '../../lib/one-or-more.ts'
import { wrongOption } from '../../model/errors.ts'
import { admitted, type Authenticator, cost, rejected, createAuthenticator } from './authenticator.ts'
import { byteString, fingerprint, matchesAny } from './fingerprint.ts'
import { createSecretReader, type Secret } from './secret.ts'

/**
 * Lets in requests whose header is this key, whole and exact. Several keys let an old and a new one in while you rotate. A key of less than
 * 16 bytes is warned of in the log.
 *
 * @param key A literal, or a function that fetches it when the webhook starts. It is compared in constant time.
 * @param options.header The header's name. Default: `Authorization`.
 * @throws FW_KEY_MISSING for a blank literal here; for a function that gives none, from `start`. FW_OPTION when `header` is not the name of
 * a header.
 * @example
 * const authenticate = apiKey(() => process.env.WEBHOOK_KEY)
 * const whileRotating = apiKey([() => process.env.WEBHOOK_KEY, () => process.env.OLD_WEBHOOK_KEY])
 */
export function apiKey(key: OneOrMore<Secret>, options: { header?: string } = {}): Authenticator {
  const header = (options.header ?? 'authorization').toLowerCase()
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(header)) {
    throw wrongOption('header', 'apiKey: header is not the name of a header.')
  }
  const given = createSecretReader(key, 'apiKey')
  let candidates: readonly Buffer[] = []
  return createAuthenticator({
    name: 'apiKey',
    cost: cost.headers,
    headers: [header],
    async prepare(log) {
      const keys = (await given.read()).map(byteString)
      if (keys.some((key) => key.length < 16)) {
        log.warn({ header }, 'an API key is shorter than 16 bytes; 32 random ones are safe')
      }
      candidates = keys.map(fingerprint)
    },
    admit({ headers }) {
      const presented = headers.get(header)
      if (presented === undefined) return rejected(`no ${header} header`)
      return matchesAny(presented, candidates) ? admitted : rejected(`wrong key in ${header}`)
    },
  })
}
