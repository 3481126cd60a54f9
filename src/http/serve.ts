import type { Receiver } from '../webhook/webhook.ts'
import { answerError, listen, pathOf } from './listen.ts'
import { type Stoppable, stopTogether } from './stop-together.ts'
import { toNodeHandler } from './to-node-handler.ts'
import { untilSignal } from './until-signal.ts'

/** Where `serve` listens, and how long its start and stop may take. */
export interface ServeOptions {
  /** The port; 0 takes a free one. Default: 3000. */
  port?: number
  /** The address to listen on. Default: every address of the machine. */
  hostname?: string
  /** The one path that is served. Default: `/fusionauth-webhook`. */
  path?: string
  /** How long to wait for an inbox that is away, in ms, while requests are answered 503; 0 does not wait. Default: until it is there. */
  startWithinMs?: number
  /** How long a stop may take as a whole, in ms: requests, handlers, closing the inbox. Default: 10,000. */
  stopWithinMs?: number
}

/** A listening server. `stop` (or `await using`) ends it. */
export interface Served extends AsyncDisposable {
  /** Where it listens, with the path: `http://127.0.0.1:3000/fusionauth-webhook`. */
  readonly url: string
  /** Lets requests and handlers under way end, then closes the inbox. SIGTERM and SIGINT call it. */
  stop(): Promise<void>
}

/**
 * Listens for FusionAuth's requests at one path and starts the webhook, until it is stopped. Where the port is taken nothing starts, and
 * where the start fails nothing goes on listening. While the inbox is away it listens and waits; a signal that comes meanwhile stops it,
 * and what is returned then is stopped already.
 *
 * @throws The error of the port (`EADDRINUSE`), or what `webhook.start` rejects with.
 * @example
 * await using served = await serve(webhook, { port: 0 })
 * console.log(`FusionAuth's webhook URL: ${served.url}`)
 */
export async function serve(
  webhook: Receiver & Stoppable & { start(options?: { withinMs?: number }): Promise<unknown> },
  options: ServeOptions = {},
): Promise<Served> {
  const {
    port = 3000,
    hostname,
    path = '/fusionauth-webhook',
    startWithinMs = Infinity,
    stopWithinMs = 10_000,
  } = options
  const handle = toNodeHandler(webhook)
  const door = await listen(
    (request, response) => {
      if (pathOf(request) === path) return void handle(request, response)
      answerError(request, response, 404, 'notFound', 'There is nothing here.')
    },
    port,
    hostname,
  )
  let stopping = false
  const stop = untilSignal(async () => {
    stopping = true
    await stopTogether(door, webhook, stopWithinMs)
  })
  try {
    // Not before the port is ours: if listening failed, nothing would stop the webhook again.
    await webhook.start({ withinMs: startWithinMs })
  } catch (error) {
    if (!stopping) {
      stop.ignoreSignals()
      await door.close()
      throw error
    }
    await stop()
  }
  return { url: `${door.origin}${path}`, stop, [Symbol.asyncDispose]: stop }
}
