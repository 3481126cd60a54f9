import { fromBase64url } from '../../lib/from-base64.ts'
import { isObject } from '../../lib/json-object.ts'
import { parseJson } from '../../lib/parse-json.ts'
import type { VerifyKey } from './verify-key.ts'

/** The parts of a compact JWS. Nothing of it is verified yet. */
export interface Token {
  /** The header as it came. */
  readonly head: string
  readonly algorithm: string
  readonly kid?: string
  /** `header.payload`, what was signed. */
  readonly signed: string
  readonly payload: Buffer
  readonly signature: Buffer
}

/** Splits the value of `X-FusionAuth-Signature-JWT`. A string says why it is not a valid token. */
export function openToken(text: string): Token | string {
  if (text.length > 8192) return 'the token is longer than 8 KiB'
  const [head, body, tail, ...more] = text.split('.')
  if (head === undefined || body === undefined || tail === undefined || more.length > 0) {
    return 'the token has not three parts'
  }
  const header = headers.get(head) ?? openHeader(head)
  if (typeof header === 'string') return header
  const payload = fromBase64url(body)
  const signature = fromBase64url(tail)
  if (payload === undefined || signature === undefined || signature.length === 0)
    return 'the token is not base64url'
  return { ...header, head, signed: text.slice(0, head.length + 1 + body.length), payload, signature }
}

type TokenHeader = Pick<Token, 'algorithm' | 'kid'>

/** Parsed headers of verified tokens, by their text: a key signs the same header every time. */
const headers = new Map<string, TokenHeader>()

function openHeader(head: string): TokenHeader | string {
  const header = parseJson(fromBase64url(head)?.toString() ?? '')
  if (!isObject(header)) return 'the token header is not a JSON object in base64url'
  const steering = steeringMembers.find((name) => Object.hasOwn(header, name))
  if (steering !== undefined)
    return `the token header has ${steering}, which would let the token choose how it is checked`
  const { alg, kid } = header
  if (typeof alg !== 'string') return 'the token header has no alg'
  if (kid === undefined) return { algorithm: alg }
  return typeof kid === 'string' ? { algorithm: alg, kid } : 'the kid of the token is not a string'
}

const steeringMembers = ['crit', 'b64', 'zip', 'jku', 'jwk', 'x5u', 'x5c']

/** Tries the keys that may verify the token's algorithm, at most eight. Returns why none did. */
export function verifyToken(token: Token, keys: readonly VerifyKey[]): string | undefined {
  const fitting = keys.filter(({ algorithms }) => algorithms.has(token.algorithm)).slice(0, 8)
  if (fitting.length === 0) return "no key verifies the token's alg"
  if (!fitting.some((key) => key.verify(token.algorithm, token.signed, token.signature))) {
    return 'the signature does not verify'
  }
  rememberHeader(token)
  return undefined
}

function rememberHeader({ head, algorithm, kid }: Token): void {
  if (headers.has(head)) return
  if (headers.size >= 64) headers.clear()
  headers.set(head, { algorithm, ...(kid !== undefined && { kid }) })
}

export type Claims = { readonly digest: string }

/**
 * The one claim of a webhook signature: `request_body_sha256`, 44 characters of standard base64. A token with the claims of a sign-in
 * (`sub`, `aud`, `exp`) is rejected although its signature is valid: an administrator can have FusionAuth sign those with any key.
 */
export function readClaims(payload: Buffer, allowExp: boolean, nowMs: number): Claims | string {
  const claims = parseJson(payload.toString())
  if (!isObject(claims)) return 'the token payload is not a JSON object'
  for (const name of ['sub', 'aud', 'exp']) {
    if (Object.hasOwn(claims, name) && !(name === 'exp' && allowExp)) {
      return `the token has ${name}: it is a bearer token, not a webhook signature`
    }
  }
  const { exp, request_body_sha256: digest } = claims
  if (exp !== undefined && !(typeof exp === 'number' && exp * 1000 > nowMs)) return 'the token has expired'
  if (typeof digest !== 'string' || !/^[A-Za-z0-9+/]{43}=$/.test(digest)) {
    return 'request_body_sha256 is not a SHA-256 in standard base64'
  }
  return { digest }
}
