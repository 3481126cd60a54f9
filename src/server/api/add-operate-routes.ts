import type { Context, Hono } from 'hono'
import type { Inbox } from '../../inbox/inbox.ts'
import type { Filter } from '../../model/filter.ts'
import type { Log } from '../../model/log.ts'
import type { AdminEnv } from '../open-admin.ts'
import { addRoute } from './add-route.ts'
import { findEvent } from './find-event.ts'
import { masked } from './mask-event.ts'
import { Refusal } from './refusal.ts'
import { routes } from './routes.ts'
import { streamLines } from './stream-lines.ts'

/**
 * What changes the inbox, or shows what events say: by a token that may operate. The log gets the action and the token's name before it is
 * done.
 */
export function addOperateRoutes(app: Hono<AdminEnv>, inbox: () => Inbox, log: Log): void {
  addRoute(app, routes.revealEvent, async ({ params, body }, context) => {
    const kept = await findEvent(inbox(), params.id, body.tenantId)
    if (kept.body === undefined) throw new Refusal('gone')
    record(context, 'reveal', { type: kept.type, id: kept.key.id })
    return context.body(new Uint8Array(kept.body), 200, download('event.json'))
  })
  addRoute(app, routes.replayEvents, async ({ body }, context) => {
    record(context, 'replay', withoutPersonalData(body))
    return inbox().replay(body, untilClosed(context))
  })
  addRoute(app, routes.pruneEvents, async ({ body }, context) => {
    const { before, dead = false } = body
    record(context, 'prune', { before: new Date(before).toISOString(), dead })
    return inbox().prune({ before, dead }, untilClosed(context))
  })
  addRoute(app, routes.erasePerson, async ({ body }, context) => {
    record(context, 'erase', {}) // Not whose events: the log would remember what is to be forgotten.
    return inbox().erase(body, untilClosed(context))
  })
  addRoute(app, routes.exportEvents, async ({ body }, context) => {
    record(context, 'export', withoutPersonalData(body))
    return context.body(await streamLines(inbox().export(body), log), 200, download('events.jsonl'))
  })

  function record({ env }: Context<AdminEnv>, action: string, fields: object): void {
    log.info({ action, token: env.caller.name, ...fields }, 'an admin token changes or reveals kept events')
  }
}

/** Long work stops when the client's connection ends; what was done stays done. */
function untilClosed(context: Context<AdminEnv>): { readonly signal: AbortSignal } {
  return { signal: context.req.raw.signal }
}

/** Headers that keep a browser from showing the bytes, which came from outside. */
function download(name: string): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${name}"`,
  }
}

function withoutPersonalData({ userId, errorText, ...where }: Filter): object {
  return {
    ...where,
    ...(userId !== undefined && { userId: masked }),
    ...(errorText !== undefined && { errorText: masked }),
  }
}
