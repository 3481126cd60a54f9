import { Hono } from 'hono'
import type { Inbox } from '../../inbox/inbox.ts'
import { codeOf } from '../../lib/code-of.ts'
import { describeError } from '../../lib/describe-error.ts'
import type { Log } from '../../model/log.ts'
import type { AdminEnv } from '../open-admin.ts'
import type { LiveStream } from '../create-live-stream.ts'
import { addOperateRoutes } from './add-operate-routes.ts'
import { addReadRoutes } from './add-read-routes.ts'
import { Refusal } from './refusal.ts'

/** The inbox over HTTP. `inbox` is undefined where the webhook keeps nothing. */
export function createApi(inbox: Inbox | undefined, stream: LiveStream, log: Log): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>()
  const openInbox = () => {
    if (inbox === undefined) throw new Refusal('noInbox')
    return inbox
  }
  addReadRoutes(app, openInbox, stream)
  addOperateRoutes(app, openInbox, log)
  return app.onError((error) => {
    if (error instanceof Refusal) return error.toResponse()
    if (codeOf(error) === 'FW_OPTION') return new Refusal('badRequest', error.message).toResponse()
    log.error({ error: describeError(error) }, 'the admin listener could not answer')
    return new Refusal('unavailable').toResponse()
  })
}
