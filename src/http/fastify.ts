import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Receiver } from '../webhook.ts'
import { toNodeHandler } from './to-node-handler.ts'

/** What the plugin uses of a Fastify instance. */
interface Instance {
  removeAllContentTypeParsers(): void
  addContentTypeParser(
    type: '*',
    parser: (request: unknown, payload: unknown, done: (error: null) => void) => void,
  ): unknown
  addHook(name: 'onReady' | 'onClose', hook: () => Promise<void>): unknown
  post(path: string, handler: (request: { raw: IncomingMessage }, reply: Reply) => Promise<void>): unknown
}

interface Reply {
  readonly raw: ServerResponse
  hijack(): unknown
}

/**
 * A webhook as a Fastify plugin, at the prefix it is registered under. It starts the webhook when Fastify is ready and stops it when Fastify
 * closes. Fastify's body parsers and limits are not used there, and everywhere else stay as they are.
 *
 * @example
 * await app.register(fusewire(webhook), { prefix: '/fusionauth-webhook' })
 */
export function fusewire(
  webhook: Receiver & { start(): Promise<unknown>; stop(): Promise<unknown> },
): (app: Instance) => Promise<void> {
  const handle = toNodeHandler(webhook)
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    app.addHook('onReady', async () => void (await webhook.start()))
    app.addHook('onClose', async () => void (await webhook.stop()))
    app.post('/', async (request, reply) => {
      reply.hijack()
      await handle(request.raw, reply.raw)
    })
  }
}
