import type { Receiver } from '../webhook.ts'
import { answerError, listen, pathOf } from './listen.ts'
import { toNodeHandler } from './to-node-handler.ts'
import { untilSignal } from './until-signal.ts'

export interface ServeOptions {
  /** 0 takes a free one. Default: 3000. */
  port?: number
  /** Default: every address of the machine. */
  hostname?: string
  /** The one path that is served. Default: `/fusionauth-webhook`. */
  path?: string
}

/** A listening server. `stop` (or `await using`) ends it. */
export interface Served extends AsyncDisposable {
  /** With the path. */
  readonly url: string
  /** Lets requests under way end, then stops the webhook. SIGTERM and SIGINT call it. */
  stop(): Promise<void>
}

/**
 * Listens for FusionAuth's requests at one path and starts the webhook, until it is stopped. Where the port is taken nothing starts, and
 * where the start fails nothing goes on listening.
 */
export async function serve(
  webhook: Receiver & { start(): Promise<unknown>; stop(): Promise<unknown> },
  options: ServeOptions = {},
): Promise<Served> {
  const { port = 3000, hostname, path = '/fusionauth-webhook' } = options
  const handle = toNodeHandler(webhook)
  const door = await listen(
    (request, response) => {
      if (pathOf(request) === path) return void handle(request, response)
      answerError(response, 404, 'notFound', 'There is nothing here.')
    },
    port,
    hostname,
  )
  try {
    await webhook.start() // Not before the port is ours: nobody would stop it again.
  } catch (error) {
    await door.close()
    throw error
  }
  const stop = untilSignal(async () => {
    await door.close()
    await webhook.stop()
  })
  return { url: `${door.origin}${path}`, stop, [Symbol.asyncDispose]: stop }
}
