/**
 * A webhook as a Fastify plugin.
 *
 * @module fusewire/fastify
 */
import { type IncomingMessage, Server, type ServerResponse } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { Receiver } from '../webhook/webhook.ts'
import { closeGracefully } from './close-gracefully.ts'
import { toNodeHandler } from './to-node-handler.ts'

/** The methods of a Fastify instance that the plugin calls. */
export interface FastifyLike {
  /** So that the body's bytes reach the webhook unread. */
  removeAllContentTypeParsers(): void
  /** Called once, for every content type. */
  addContentTypeParser(
    type: '*',
    parser: (request: unknown, payload: unknown, done: (error: null) => void) => void,
  ): unknown
  /** Called for `onReady`, to start the webhook, and for `onClose`, to stop it. */
  addHook(name: 'onReady' | 'onClose', hook: () => Promise<void>): unknown
  /** Called once, for the one route. */
  post(
    path: string,
    handler: (request: { raw: IncomingMessage }, reply: FastifyReplyLike) => Promise<void>,
  ): unknown
}

/** The parts of a Fastify reply that the plugin uses. */
export interface FastifyReplyLike {
  /** Node's own response. */
  readonly raw: ServerResponse
  /** Tells Fastify that the webhook answers. */
  hijack(): unknown
}

/**
 * A webhook as a Fastify plugin, at the prefix it is registered under. It starts the webhook when Fastify is ready. When Fastify closes, open
 * connections are served until they have been idle for 3 s, as after `hardenServer`, and then the webhook stops; create Fastify with
 * `return503OnClosing: false`, or it refuses what comes meanwhile. Fastify's body parsers and limits are not used there, and everywhere
 * else stay as they are.
 *
 * @throws FW_OPTION for what is not a `Webhook`.
 * @example
 * import Fastify from 'fastify'
 *
 * const app = Fastify({ return503OnClosing: false })
 * await app.register(fusewire(webhook), { prefix: '/fusionauth-webhook' })
 */
export function fusewire(
  webhook: Receiver & { start(): Promise<unknown>; stop(): Promise<unknown> },
): (app: FastifyLike) => Promise<void> {
  const handle = toNodeHandler(webhook)
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    app.addHook('onReady', async () => void (await webhook.start()))
    // Named in FastifyLike, it would make TypeScript take another overload of register.
    const { server } = app as { server?: unknown }
    // Over HTTP/2 a sender is told that its connection is going away.
    if (server instanceof Server || server instanceof SecureServer) closeGracefully(server)
    app.addHook('onClose', async () => void (await webhook.stop())) // Fastify has closed the server by then.
    app.post('/', async (request, reply) => {
      reply.hijack()
      await handle(request.raw, reply.raw)
    })
  }
}
