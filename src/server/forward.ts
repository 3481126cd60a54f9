import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Handler } from '../webhook/on-options.ts'
import type { OneOrMore } from '../lib/one-or-more.ts'
import { secureUrl } from '../lib/secure-url.ts'
import { FusewireError, wrongOption } from '../model/errors.ts'
import { noLinkLocal, refuseLinkLocal } from './no-link-local.ts'
import { standardWebhooksSigner } from './standard-webhooks-signer.ts'

/** The options of `forward`. */
export interface ForwardOptions {
  /**
   * What the receiver verifies with: `whsec_` and the base64 of 24 to 64 random bytes. Several while a secret is being replaced: the receiver
   * may have either. Functions are called at each delivery.
   */
  readonly secret: OneOrMore<string | undefined | (() => string | undefined)>
  /** Accepts http to other hosts than this machine: anybody on the network path can then read every event. Default: false. */
  readonly insecureHttp?: boolean
}

/** An answer's body is not used. Up to so many bytes of it are read, so that the connection can be reused; a longer one closes it. */
const readUpTo = 16 * 1024

/**
 * A handler that posts each event, its bytes as they came, to an HTTP endpoint in any language, signed by the Standard Webhooks scheme. A
 * 2xx answer is success. Any other answer, a redirect too, is a failed attempt and is retried in the order of its lane.
 *
 * @param to An https URL; http only to this machine, unless `insecureHttp` is true. Link-local addresses never.
 * @throws FW_OPTION for another URL, and for a secret that is not one of the scheme's.
 * @example
 * const toReports = forward('https://example.com/events', { secret: () => process.env.FORWARD_SECRET })
 * webhook.on('*', { name: 'reports', when: 'received' }, toReports)
 */
export function forward(to: string | URL, options: ForwardOptions): Handler<'*'> {
  const url = checkedUrl(to, options.insecureHttp === true)
  const sign = standardWebhooksSigner(options.secret)
  const agent =
    url.protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest

  return async ({ body, idempotencyKey, signal }) => {
    const headers = {
      ...sign(messageId(idempotencyKey), Math.floor(Date.now() / 1000), body),
      'content-type': 'application/json',
      'content-length': body.length,
      'accept-encoding': 'identity',
      'user-agent': 'fusewire',
    }
    const status = await statusOf(
      send(url, { method: 'POST', agent, headers, lookup: noLinkLocal, signal }),
      body,
    )
    if (status >= 200 && status <= 299) return
    const hint = status >= 300 && status <= 399 ? ': redirects are not followed' : ''
    throw new FusewireError('FW_FORWARD', `${url.origin} answered ${status}${hint}`)
  }
}

/** The same id in every attempt, in ASCII without a dot: the signed text separates its parts by dots. */
function messageId(idempotencyKey: string): string {
  return idempotencyKey.replaceAll(/[^\w:-]/g, '_')
}

/** Resolves with the answer's status when its headers have arrived. */
function statusOf(request: ClientRequest, body: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    request.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        new FusewireError('FW_FORWARD', `the event was not delivered: ${error.code ?? error.message}`, {
          cause: error,
        }),
      )
    })
    // A 101 answer emits no 'response', only 'close'. After any other answer this reject does nothing.
    request.on('close', () =>
      reject(new FusewireError('FW_FORWARD', 'the event was not delivered: no answer')),
    )
    request.on('response', (response) => {
      resolve(response.statusCode ?? 0)
      discardBody(response)
    })
    request.end(body)
  })
}

/** Reads a short answer to its end, so that its connection can be used again. */
function discardBody(response: IncomingMessage): void {
  let read = 0
  const cut = setTimeout(() => response.destroy(), 1000)
  cut.unref()
  response.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > readUpTo) response.destroy()
  })
  response.on('error', () => {})
  response.on('close', () => clearTimeout(cut))
}

function checkedUrl(to: string | URL, insecureHttp: boolean): URL {
  const url = secureUrl(to, { insecureHttp })
  if (url === 'credentials')
    throw wrongOption('to', 'forward: the URL must hold no user and password; the signature tells who sends.')
  if (typeof url === 'string') {
    throw wrongOption(
      'to',
      'forward needs an https URL (http only to localhost, 127.0.0.1 or [::1]); insecureHttp: true accepts http.',
    )
  }
  refuseLinkLocal(url.hostname)
  return url
}
