import type { IncomingMessage, ServerResponse } from 'node:http'
import { wrongOption } from '../model/errors.ts'
import type { Receiver } from '../webhook/webhook.ts'
import { internals, type WebhookInternals } from '../webhook/webhook-internals.ts'
import { markAuthenticated } from './connections.ts'
import { endAndClose } from './end-and-close.ts'
import { announceKeepAlive } from './announce-keep-alive.ts'
import { NodeRequest } from './node-request.ts'

/**
 * A webhook as a handler of node:http, Express, Nest and Koa: the fast way in, without Request and Response. Mount it before any body
 * parser, or let the parser keep the bytes (`req.rawBody`, `express.raw`). The promise never rejects.
 *
 * @throws FW_OPTION for what is not a `Webhook`.
 * @example
 * import express from 'express'
 *
 * const app = express()
 * app.post('/fusionauth-webhook', toNodeHandler(webhook))
 * app.use(express.json())
 */
export function toNodeHandler(
  webhook: Receiver,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { [internals]: inner } = webhook as { readonly [internals]?: WebhookInternals } // Only a Webhook has them.
  if (inner === undefined) throw wrongOption('webhook', 'toNodeHandler takes the Webhook itself.')

  return async (request, response) => {
    const incoming = new NodeRequest(request, response)
    const answer = await inner.receive(incoming)
    if (response.destroyed || response.headersSent) return
    response.statusCode = answer.status
    const body = answer.body === '' ? undefined : Buffer.from(answer.body)
    if (body !== undefined) {
      response.setHeader('content-type', 'application/json').setHeader('content-length', body.length)
    }
    if (answer.headers !== undefined) {
      for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value)
    }
    if (answer.status !== 200) return endAndClose(request, response, body)
    if (incoming.bytes !== undefined) markAuthenticated(request) // Otherwise the read of the body did.
    announceKeepAlive(response)
    response.end(body)
  }
}
