import type { Hono } from 'hono'
import type { Inbox } from '../inbox/inbox.ts'
import { addRoute } from './api/add-route.ts'
import { routes } from './api/routes.ts'
import type { Metrics } from './create-metrics.ts'
import type { AdminEnv } from './open-admin.ts'

/** How old the figures of the inbox may be: counting them takes several queries, and several scrapers may ask at a time. */
const freshMs = 5000

/** What monitoring asks. A request with a token gets the reason why the server is not ready. */
export function addProbeRoutes(
  app: Hono<AdminEnv>,
  notReady: () => string | undefined,
  metrics: Metrics,
  inbox: Inbox | undefined,
): void {
  const overview = cached(async () => (inbox === undefined ? 'none' : inbox.stats().catch(unavailable)))
  addRoute(app, routes.getLiveness, async (_, context) => context.text('ok\n'))
  addRoute(app, routes.getReadiness, async (_, context) => {
    const reason = notReady()
    return reason === undefined ? context.text('ready\n') : context.text(`not ready: ${reason}\n`, 503)
  })
  addRoute(app, routes.getMetrics, async (_, context) => {
    context.header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
    return context.body(await metrics.text(await overview(), Date.now()))
  })
  addRoute(app, routes.getOpenApiDocument, async () => {
    const { openApiDocument } = await import('./api/openapi-document.ts') // 5 ms that only this request pays.
    return Response.json(openApiDocument())
  })
}

const unavailable = () => 'unavailable' as const

/** Asks again when the last answer is older than `freshMs`. */
function cached<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  let until = 0
  return () => {
    const now = performance.now()
    if (answer === undefined || now > until) {
      answer = ask()
      until = now + freshMs
    }
    return answer
  }
}
