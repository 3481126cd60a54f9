import { apiKey as byApiKey } from '../receive/auth/api-key.ts'
import type { Authenticator } from '../receive/auth/authenticator.ts'
import { basicAuth } from '../receive/auth/basic-auth.ts'
import { allOf } from '../receive/auth/all-of.ts'
import { type Keys, signature } from '../receive/auth/signature.ts'
import { misused } from './failure.ts'
import { readBytes } from './read-bytes.ts'
import type { authentication, Settings } from './settings.ts'
import { text } from './text.ts'

/** The authenticator of the settings: a request must satisfy each that is configured. Undefined: none is. */
export function createAuthenticator(
  given: Settings<(typeof authentication)[number]>,
): Authenticator | undefined {
  const asked: Authenticator[] = []
  const { apiKey, apiKeyNext, apiKeyHeader, username, password } = given
  if (apiKey !== undefined) {
    asked.push(
      byApiKey(
        [apiKey.read(), apiKeyNext?.read()],
        apiKeyHeader === undefined ? {} : { header: apiKeyHeader },
      ),
    )
  } else if (apiKeyNext !== undefined) throw misused(text`--api-key-next needs --api-key.`)
  else if (apiKeyHeader !== undefined) throw misused(text`--api-key-header needs --api-key.`)
  if ((username === undefined) !== (password === undefined)) {
    throw misused(text`--username and --password need each other.`)
  }
  if (username !== undefined && password !== undefined) {
    asked.push(basicAuth({ username, password: password.read() }))
  }
  const keys = keysOf(given)
  if (keys !== undefined) asked.push(signature(keys))
  const [first, second, ...more] = asked
  return first === undefined || second === undefined ? first : allOf(first, second, ...more)
}

function keysOf({
  signingSecret,
  publicKey,
  jwks,
  kid,
}: Settings<(typeof authentication)[number]>): Keys | undefined {
  const ways = [signingSecret, publicKey, jwks].filter((way) => way !== undefined)
  if (ways.length > 1) throw misused(text`Give one of --signing-secret, --public-key and --jwks.`)
  if (kid !== undefined && jwks === undefined) throw misused(text`--kid needs --jwks.`)
  if (signingSecret !== undefined) return { secret: signingSecret.read() }
  if (publicKey !== undefined) return { publicKey: readBytes(publicKey, '--public-key').toString() }
  if (jwks === undefined) return undefined
  const [first, ...others] = kid ?? []
  if (first !== undefined) return { jwks, kid: [first, ...others] }
  throw misused(text`--jwks needs --kid: a JWKS also holds keys that sign other things.`)
}
