import type { OneOrMore } from '../../lib/one-or-more.ts'
import { FusewireError } from '../../model/errors.ts'
import { admitted, type Authenticator, cost, rejected, seal } from './authenticator.ts'
import { byteString, fingerprint, matchesAny, type Secret, createSecretReader } from './secret.ts'

/**
 * A header that FusionAuth's webhook is configured to send, whole and exact. Several keys let an old and a new one in while you rotate.
 *
 * @param options.header Default: `Authorization`.
 * @example
 * apiKey(() => process.env.WEBHOOK_KEY)
 */
export function apiKey(key: OneOrMore<Secret>, options: { header?: string } = {}): Authenticator {
  const header = (options.header ?? 'authorization').toLowerCase()
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(header)) {
    throw new FusewireError('FW_OPTION', 'apiKey: header is not the name of a header.')
  }
  const given = createSecretReader(key, 'apiKey')
  let candidates: readonly Buffer[] = []
  return seal({
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
