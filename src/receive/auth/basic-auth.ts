import { fromBase64 } from '../../lib/from-base64.ts'
import { asList, type OneOrMore } from '../../lib/one-or-more.ts'
import { wrongOption } from '../../model/errors.ts'
import { admitted, type Authenticator, cost, rejected, createAuthenticator } from './authenticator.ts'
import { byteString, fingerprint, matchesAny } from './fingerprint.ts'
import { createSecretReader, type Secret } from './secret.ts'

/**
 * Lets in requests with the user name and password of FusionAuth's webhook settings. Several logins let an old and a new one in while you
 * rotate.
 *
 * @throws FW_KEY_MISSING for a blank password; FW_OPTION for a user name that is empty or has a colon.
 * @example
 * const authenticate = basicAuth({ username: 'fusionauth', password: () => process.env.WEBHOOK_PASSWORD })
 */
export function basicAuth(login: OneOrMore<{ username: string; password: Secret }>): Authenticator {
  const logins = asList(login).map((one) => {
    const { username, password }: Partial<typeof one> = one ?? {}
    if (typeof username !== 'string' || username === '' || username.includes(':')) {
      throw wrongOption('username', 'basicAuth: username must be a string without a colon, and not empty.')
    }
    return { username, passwords: createSecretReader(password, 'basicAuth: password') }
  })
  if (logins.length === 0) throw wrongOption('login', 'basicAuth: give { username, password }.')
  let candidates: readonly Buffer[] = []
  return createAuthenticator({
    name: 'basicAuth',
    cost: cost.headers,
    headers: ['authorization'],
    async prepare() {
      const pairs = logins.map(async ({ username, passwords }) =>
        (await passwords.read()).map((password) => fingerprint(byteString(`${username}:${password}`))),
      )
      candidates = (await Promise.all(pairs)).flat()
    },
    admit({ headers }) {
      const [, encoded] = /^basic ([^ ]+)$/i.exec(headers.get('authorization') ?? '') ?? []
      const presented = encoded === undefined ? undefined : fromBase64(encoded)
      if (presented === undefined) return rejected('no Basic credentials in authorization')
      return matchesAny(presented.toString('latin1'), candidates)
        ? admitted
        : rejected('wrong user name or password')
    },
  })
}
