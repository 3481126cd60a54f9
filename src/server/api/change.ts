import { type Context, Hono } from 'hono'
import type { Inbox } from '../../inbox/inbox.ts'
import { describeError } from '../../lib/describe-error.ts'
import type { Filter } from '../../model/filter.ts'
import type { Log } from '../../model/log.ts'
import type { AdminEnv } from '../admin.ts'
import { Given, wrong } from './given.ts'
import { findEvent } from './look.ts'
import { hidden } from './mask.ts'
import { Refusal } from './refusal.ts'
import { filterNames, filterOf } from './selection.ts'

/**
 * What changes the inbox, or shows what events say: by POST, by a token that may operate, and told to the log with the token's name before it
 * is done.
 */
export function change(inbox: () => Inbox, log: Log): Hono<AdminEnv> {
  return new Hono<AdminEnv>()
    .use(async ({ req, env }, next) => {
      if (req.method === 'POST' && env.caller.scope !== 'operate') {
        throw new Refusal(403, 'scope', 'This token may look, not change or reveal.')
      }
      await next()
    })
    .post('/events/:id/reveal', async (context) => {
      const tenantId = (await Given.body(context)).only(['tenantId']).text('tenantId')
      const kept = await findEvent(inbox(), context.req.param('id'), tenantId)
      if (kept.body === undefined) throw new Refusal(410, 'gone', 'The body of this event is gone.')
      record(context, 'reveal', { type: kept.type, id: kept.key.id })
      return context.body(new Uint8Array(kept.body), 200, download('event.json'))
    })
    .post('/replay', async (context) => {
      const where = filterOf((await Given.body(context)).only(filterNames))
      record(context, 'replay', nameless(where))
      return context.json(await inbox().replay(where, untilGone(context)))
    })
    .post('/prune', async (context) => {
      const given = (await Given.body(context)).only(['before', 'dead'])
      const [before, dead] = [given.instant('before'), given.flag('dead')]
      if (before === undefined) throw wrong('before must say up to when: ms since 1970, or a date.')
      record(context, 'prune', { before: new Date(before).toISOString(), dead })
      return context.json(await inbox().prune({ before, dead }, untilGone(context)))
    })
    .post('/erase', async (context) => {
      const given = (await Given.body(context)).only(['userId', 'tenantId'])
      const [userId, tenantId] = [given.text('userId'), given.text('tenantId')]
      if (userId === undefined) throw wrong('userId must say whose events are to go.')
      record(context, 'erase', {}) // Not whose: the log would remember what is to be forgotten.
      const person = { userId, ...(tenantId !== undefined && { tenantId }) }
      return context.json(await inbox().erase(person, untilGone(context)))
    })
    .post('/export', async (context) => {
      const where = filterOf((await Given.body(context)).only(filterNames))
      record(context, 'export', nameless(where))
      return context.body(await streamOf(inbox().export(where), log), 200, download('events.jsonl'))
    })

  function record({ env }: Context<AdminEnv>, action: string, fields: object): void {
    log.info(
      { action, token: env.caller.name, ...fields },
      'somebody changes or reveals what the inbox keeps',
    )
  }
}

/** A long work ends with the connection of whoever asked for it; what was done stays done. */
function untilGone(context: Context<AdminEnv>): { readonly signal: AbortSignal } {
  return { signal: context.req.raw.signal }
}

/** Bytes as they came from outside are nothing a browser may show. */
function download(name: string): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${name}"`,
  }
}

function nameless({ userId, errorText, ...where }: Filter): object {
  return {
    ...where,
    ...(userId !== undefined && { userId: hidden }),
    ...(errorText !== undefined && { errorText: hidden }),
  }
}

/** A line is made when it is asked for; but what cannot even begin rejects, while an error can still be answered. */
async function streamOf(lines: AsyncIterable<string>, log: Log): Promise<ReadableStream<Uint8Array>> {
  const iterator = lines[Symbol.asyncIterator]()
  let first: IteratorResult<string> | undefined = await iterator.next()
  // The host writes what breaks a stream to stderr as it is.
  const broken = (error: unknown) => {
    log.error({ error: describeError(error) }, 'an export broke off')
    throw new Error('the export broke off')
  }
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = first ?? (await iterator.next().catch(broken))
      first = undefined
      if (done === true) controller.close()
      else controller.enqueue(Buffer.from(`${value}\n`))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}
