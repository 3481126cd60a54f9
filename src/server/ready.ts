import { Hono } from 'hono'
import type { AdminEnv } from './admin.ts'

/** `/readyz`: whether FusionAuth's events would be taken in now. */
export function ready(notReady: () => string | undefined): Hono<AdminEnv> {
  return new Hono<AdminEnv>().get('/readyz', (context) => {
    const reason = notReady()
    return reason === undefined ? context.text('ready\n') : context.text(`not ready: ${reason}\n`, 503)
  })
}
