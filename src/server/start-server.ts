import { answerError, listen, type Listening, pathOf } from '../http/listen.ts'
import { stopTogether } from '../http/stop-together.ts'
import { toNodeHandler } from '../http/to-node-handler.ts'
import { untilSignal } from '../http/until-signal.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import { wrongOption } from '../model/errors.ts'
import { internals } from '../webhook/webhook-internals.ts'
import { createApi } from './api/create-api.ts'
import { Refusal } from './api/refusal.ts'
import { addProbeRoutes } from './add-probe-routes.ts'
import { createLiveStream } from './create-live-stream.ts'
import { createMetrics } from './create-metrics.ts'
import { openAdmin } from './open-admin.ts'
import type { ServerOptions } from './options.ts'

const usualPort = 3000
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
  /** Resolves when the server has stopped, by `stop` or by a signal. */
  readonly stopped: Promise<void>
}

/**
 * Serves a webhook and starts it, until it is stopped. Resolves when it delivers. Rejects when a secret is missing, a port is taken, or the
 * inbox cannot be opened for a cause that does not pass by itself. While the inbox is away it listens, is not ready, and tries again; a
 * signal that comes meanwhile stops it, and what is returned then is stopped already.
 *
 * @throws FW_OPTION for a path that is none; the error of the port; what `webhook.start` rejects with.
 * @example
 * const secret = newAdminSecret() // for the monitoring
 * await using server = await startServer({
 *   webhook,
 *   door: { port: 0 },
 *   admin: { port: 0, tokens: [adminToken('monitoring', 'read', secret)] },
 *   log: console,
 * })
 * console.log(`FusionAuth's webhook URL: ${server.url}, metrics: ${server.adminUrl}/metrics`)
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { webhook, startWithinMs = Infinity, signals = true } = options
  const { path = '/fusionauth-webhook' } = options.door ?? {}
  checkPath(path)
  const opened = new UndoStack()
  let isStopping = false
  const { promise: stopped, resolve: tellStopped } = Promise.withResolvers<void>()
  try {
    const adminUrl = await openAdminFor(options, () => isStopping, opened)
    opened.add(() => webhook.stop({ withinMs: 0 })) // Where the door never opens.
    const door = await openDoor(options, path)
    opened.add(() => stopTogether(door, webhook, options.stopWithinMs ?? 10_000))
    const stop = untilSignal(async () => {
      isStopping = true
      await opened.undo().finally(tellStopped)
    }, signals)
    try {
      await webhook.start({ withinMs: startWithinMs })
    } catch (error) {
      if (!isStopping) {
        stop.ignoreSignals()
        throw error
      }
      await stop()
    }
    return {
      url: `${door.origin}${path}`,
      ...(adminUrl !== undefined && { adminUrl }),
      stop,
      stopped,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await opened.undo()
    throw error
  }
}

/** The admin listener, if one is configured. It opens first and closes last, so that probes learn that the rest is not ready. */
async function openAdminFor(
  { webhook, admin, door, log }: ServerOptions,
  isStopping: () => boolean,
  opened: UndoStack,
): Promise<string | undefined> {
  if (admin === undefined) return undefined
  const metrics = createMetrics()
  const stream = createLiveStream()
  opened.add(() => stream.close())
  const state = () => (isStopping() ? 'the server stops' : webhook[internals].notReady())
  const app = createApi(webhook.inbox, stream, log)
  addProbeRoutes(app, state, metrics, webhook.inbox)
  app.notFound(() => new Refusal('notFound').toResponse())
  const nextPort = door?.port === 0 ? 0 : (door?.port ?? usualPort) + 1
  const listener = await openAdmin(app, admin, admin.port ?? nextPort, () => state() === undefined)
  opened.add(() => {
    stream.close() // A live stream would keep its connection open.
    return listener.close(adminClosingMs, 0)
  })
  for (const { observer } of [metrics, stream]) webhook[internals].observe(observer)
  return listener.origin
}

/** Opens the listener that FusionAuth posts to. */
function openDoor({ webhook, door }: ServerOptions, path: string): Promise<Listening> {
  const handle = toNodeHandler(webhook)
  return listen(
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
    door?.port ?? usualPort,
    door?.hostname,
  )
}

function checkPath(path: string): void {
  if (/^\/[\x21-\x7e]*$/.test(path) && !/[?#]/.test(path) && path !== '/livez') return
  throw wrongOption('path', 'The path of the webhook must begin with /, without ? and #, and not be /livez.')
}
