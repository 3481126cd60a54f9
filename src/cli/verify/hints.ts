import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { parseJson } from '../../lib/parse-json.ts'
import { signatureHeader } from '../../events/sign.ts'
import type { Answer } from '../../receive/answer/answer.ts'
import type { Body } from '../../receive/body.ts'
import { openToken, readClaims, type Token } from '../../receive/auth/verify-token.ts'

/** The SHA-256 of the body that the request's token claims; the token's signature is not verified. */
export function claimedDigests(request: IncomingMessage): readonly string[] {
  const token = tokenOf(request)
  const claims =
    token === undefined || typeof token === 'string' ? 'none' : readClaims(token.payload, true, 0)
  return typeof claims === 'string' ? [] : [claims.digest]
}

function tokenOf({ headers }: IncomingMessage): Token | string | undefined {
  const value = headers[signatureHeader]
  return typeof value === 'string' ? openToken(value) : undefined
}

export function tokenWords(request: IncomingMessage): string | undefined {
  const token = tokenOf(request)
  if (token === undefined) return undefined
  if (typeof token === 'string') return `Its ${signatureHeader} is no token: ${token}`
  const { algorithm, kid } = token
  return `Its token says alg ${algorithm}${kid === undefined ? ' and no kid' : `, kid ${kid}`}`
}

export function credentialHint(request: IncomingMessage, { reason = '' }: Answer): string | undefined {
  if (/wrong key/.test(reason) && /^bearer /i.test(request.headers.authorization ?? '')) {
    return 'It begins with “Bearer ”. FusionAuth sends the header exactly as it stands in the webhook; the key must be the whole of it.'
  }
  if (/^no .* header/.test(reason)) {
    return reason.includes(signatureHeader)
      ? 'Switch signing on in the webhook (FusionAuth 1.48.0 or later), or look for a proxy that drops the header.'
      : "Add the header under Headers in FusionAuth's webhook, or look for a proxy that drops it."
  }
  return tokenWords(request)
}

export function bodyHint({ headers }: IncomingMessage): string | undefined {
  const declared = headers['content-length']
  return declared === undefined
    ? undefined
    : `Content-Length says ${declared} bytes. Was all of the body captured?`
}

/** Tries what proxies and editors usually do to a body, to say which of it happened. */
export function whatWasSigned(digests: readonly string[], { bytes }: Body): string | undefined {
  if (!isUtf8(bytes)) return undefined
  const body = Buffer.from(bytes).toString()
  const json = parseJson(body)
  const tries: readonly (readonly [string, string])[] = [
    [body.replace(/\r?\n$/, ''), 'Signed was this body without the line end after it: something added one.'],
    [`${body}\n`, 'Signed was this body with a line end after it: something took it away.'],
    [
      body.replaceAll('\r\n', '\n'),
      'Signed was this body with plain line ends: something wrote them as CR LF.',
    ],
    [
      body.replace(/^\ufeff/, ''),
      'Signed was this body without the byte order mark before it: something added one.',
    ],
    [
      JSON.stringify(json) ?? '',
      'Signed was the same JSON in other bytes: something parsed it and wrote it anew. The receiver needs the bytes as they came.',
    ],
  ]
  return (
    tries.find(([text]) => digests.every((digest) => digest === hash('sha256', text, 'base64')))?.[1] ??
    'Was the body changed on its way, or does the token belong to another request?'
  )
}
