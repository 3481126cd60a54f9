import { signatureHeader, signer, type SigningKey } from '../../events/sign.ts'
import { misused } from '../failure.ts'
import { forHeader, readSecret } from '../secret.ts'
import { text } from '../text.ts'

/** The headers that every request has. */
export function requestHeaders(apiKey: string | undefined, more: readonly string[]): Headers {
  const headers = new Headers({ 'content-type': 'application/json' })
  if (apiKey !== undefined)
    headers.set('authorization', forHeader(readSecret(apiKey, '--api-key'), '--api-key'))
  for (const line of more) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7e]*)$/.exec(line) ?? []
    if (name === '') throw misused(text`--header takes 'Name: value'.`)
    headers.set(name, value)
  }
  return headers
}

/** The key that `--sign` names: an HMAC secret or a private key. */
export function signingKey(reference: string, kid: string | undefined): SigningKey {
  const secret = readSecret(reference, '--sign')
  const key = secret.includes('-----BEGIN') ? { privateKey: secret } : { secret }
  return { ...key, ...(kid !== undefined && { kid }) }
}

/** Returns a function that gives the headers of a body, with its signature. */
export function headerSigner(headers: Headers, key: SigningKey | undefined): (body: string) => Headers {
  if (key === undefined) return () => headers
  const signed = signing(key)
  return (body) => {
    const dressed = new Headers(headers)
    dressed.set(signatureHeader, signed(body))
    return dressed
  }
}

function signing(key: SigningKey): (body: string) => string {
  try {
    return signer(key)
  } catch (error) {
    throw misused(text`--sign: this is no HMAC secret and no private key that FusionAuth could sign with.`, {
      cause: error,
    })
  }
}
