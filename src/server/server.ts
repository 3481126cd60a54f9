import { Hono } from 'hono'
import { answerError, listen, pathOf } from '../http/listen.ts'
import { stopTogether } from '../http/stop-together.ts'
import { toNodeHandler } from '../http/to-node-handler.ts'
import { untilSignal } from '../http/until-signal.ts'
import { FusewireError } from '../model/errors.ts'
import { notReady, observe } from '../webhook.ts'
import { api } from './api/api.ts'
import { Refusal } from './api/refusal.ts'
import { type AdminEnv, openAdmin } from './admin.ts'
import type { ServerOptions } from './options.ts'
import { live } from './live.ts'
import { metrics } from './metrics.ts'
import { probes } from './probes.ts'

/** How long an admin request under way may take when everything else has stopped. */
const adminClosingMs = 250

/** A running server. `stop` (or `await using`) ends it. */
export interface Server extends AsyncDisposable {
  /** What FusionAuth is to be told, with the path. */
  readonly url: string
  /** Of the admin listener, without a path. */
  readonly adminUrl?: string
  /** Is not ready any more, lets requests and handlers under way end, closes the inbox, all within `stopWithinMs`. */
  stop(): Promise<void>
  /** Resolves when it has stopped, whoever stopped it. */
  readonly stopped: Promise<void>
}

/**
 * Serves a webhook and starts it, until it is stopped. Resolves when it delivers. Rejects when a secret is missing, a port is taken, or the
 * inbox cannot be opened for a cause that does not pass by itself. While the inbox is away it listens, is not ready, and tries again; a
 * signal that comes meanwhile stops it, and what is returned then is stopped already.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { webhook, admin, log, startWithinMs = Infinity, stopWithinMs = 10_000, signals = true } = options
  const { port = 3000, hostname, path = '/fusionauth-webhook' } = options.door ?? {}
  checkPath(path)
  const counted = metrics()
  const listening = live()
  let stopping = false
  await using opened = new AsyncDisposableStack()

  // The admin listener first and so closed last: it tells who asks that the rest is not ready yet, or not any more.
  const app = new Hono<AdminEnv>()
  const state = () => (stopping ? 'the server stops' : webhook[notReady]())
  app.route('/', probes(state, counted, webhook.inbox))
  app.route('/fusewire/api', api(webhook.inbox, listening, log))
  app.notFound(() => new Refusal(404, 'notFound', 'There is nothing here.').toResponse())
  const isReady = () => state() === undefined
  const adminPort = admin?.port ?? (port === 0 ? 0 : port + 1)
  const adminListener = admin && (await openAdmin(app, admin, adminPort, isReady))
  if (adminListener !== undefined) opened.defer(() => adminListener.close(adminClosingMs, 0))
  opened.defer(() => listening.close()) // A stream would hold its connection for ever.

  opened.defer(() => webhook.stop({ withinMs: 0 })) // Where the door never opened.
  if (admin !== undefined) for (const { observer } of [counted, listening]) webhook[observe](observer)

  const handle = toNodeHandler(webhook)
  const door = await listen(
    (request, response) => {
      const asked = pathOf(request)
      if (asked === path) return void handle(request, response)
      if (asked !== '/livez') return answerError(request, response, 404, 'notFound', 'There is nothing here.')
      // A webhook that is misconfigured to post here must not be told 200.
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return answerError(request, response, 405, 'methodNotAllowed', 'Ask with GET.')
      }
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n')
    },
    port,
    hostname,
  )
  opened.defer(() => stopTogether(door, webhook, stopWithinMs))

  const { promise: stopped, resolve: tellStopped } = Promise.withResolvers<void>()
  const parts = opened.move()
  const stop = untilSignal(async () => {
    stopping = true
    await parts.disposeAsync().finally(tellStopped)
  }, signals)
  try {
    await webhook.start({ withinMs: startWithinMs })
  } catch (error) {
    const bySignal = stopping
    await stop()
    if (!bySignal) throw error
  }
  return {
    url: `${door.origin}${path}`,
    ...(adminListener !== undefined && { adminUrl: adminListener.origin }),
    stop,
    stopped,
    [Symbol.asyncDispose]: stop,
  }
}

function checkPath(path: string): void {
  if (/^\/[\x21-\x7e]*$/.test(path) && !/[?#]/.test(path) && path !== '/livez') return
  throw new FusewireError(
    'FW_OPTION',
    'The path of the webhook must begin with /, without ? and #, and not be /livez.',
  )
}
