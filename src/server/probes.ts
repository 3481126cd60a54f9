import { Hono } from 'hono'
import type { Inbox } from '../inbox/inbox.ts'
import type { AdminEnv } from './admin.ts'
import type { Metrics } from './metrics.ts'

/** An inbox counts in steps, and several scrapers may ask at a time. */
const freshMs = 5000

/** With a token. `/readyz`: whether FusionAuth's events would be taken in now, and why not. `/metrics`: for Prometheus. */
export function probes(
  notReady: () => string | undefined,
  metrics: Metrics,
  inbox: Inbox | undefined,
): Hono<AdminEnv> {
  const overview = remembered(async () => (inbox === undefined ? 'none' : inbox.stats().catch(unavailable)))
  return new Hono<AdminEnv>()
    .get('/livez', (context) => context.text('ok\n'))
    .get('/readyz', (context) => {
      const reason = notReady()
      return reason === undefined ? context.text('ready\n') : context.text(`not ready: ${reason}\n`, 503)
    })
    .get('/metrics', async (context) => {
      context.header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
      return context.body(await metrics.text(await overview(), Date.now()))
    })
}

const unavailable = () => 'unavailable' as const

/** Asks again when the last answer is older than `freshMs`. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
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
