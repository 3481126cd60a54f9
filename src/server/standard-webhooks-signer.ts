import { createHmac } from 'node:crypto'
import { asList, type OneOrMore } from '../lib/one-or-more.ts'
import { FusewireError } from '../model/errors.ts'

/** `whsec_` and base64, or a function that returns it. */
type GivenSecret = string | undefined | (() => string | undefined)

/**
 * Makes the three headers of Standard Webhooks (https://www.standardwebhooks.com), with a signature for each secret. Literal secrets are
 * read now, functions at each call. Undefined secrets are left out; one at least must be defined.
 */
export function standardWebhooksSigner(
  given: OneOrMore<GivenSecret>,
): (id: string, seconds: number, body: Uint8Array) => Record<string, string> {
  const secrets = asList(given).map((secret) => (typeof secret === 'function' ? secret : keyOf(secret)))
  if (secrets.every((secret) => secret === undefined)) throw missing()

  return (id, seconds, body) => {
    const keys = secrets
      .map((secret) => (typeof secret === 'function' ? keyOf(secret()) : secret))
      .filter((key) => key !== undefined)
    if (keys.length === 0) throw missing()
    const signatures = keys.map((key) =>
      createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64'),
    )
    return {
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signatures.map((signature) => `v1,${signature}`).join(' '),
    }
  }
}

function keyOf(secret: string | undefined): Buffer | undefined {
  if (secret === undefined || secret === '') return undefined
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? []
  const key = Buffer.from(base64, 'base64')
  if (key.length >= 24 && key.length <= 64) return key
  throw new FusewireError(
    'FW_KEY',
    'forward: a secret is whsec_ and the base64 of 24 to 64 random bytes: whsec_$(openssl rand -base64 32).',
  )
}

function missing(): FusewireError {
  return new FusewireError(
    'FW_KEY_MISSING',
    'forward: secret is missing. If it comes from the environment, set the variable.',
  )
}
