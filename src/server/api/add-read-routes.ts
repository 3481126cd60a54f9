import type { Hono } from 'hono'
import type { Inbox, PageOptions } from '../../inbox/inbox.ts'
import { deliveryFits, type Filter } from '../../model/filter.ts'
import type { AdminEnv } from '../open-admin.ts'
import type { LiveStream } from '../create-live-stream.ts'
import { addRoute } from './add-route.ts'
import { findEvent } from './find-event.ts'
import { maskEvent } from './mask-event.ts'
import { Refusal } from './refusal.ts'
import { type AnswerOf, type ParsedOf, routes } from './routes.ts'
import { summarizeEvent } from './summarize-event.ts'

type PagedFilter = ParsedOf<typeof routes.listEvents>['query']

/** What any token may do: these routes change nothing and mask what events say of persons. */
export function addReadRoutes(app: Hono<AdminEnv>, inbox: () => Inbox, stream: LiveStream): void {
  addRoute(app, routes.listEvents, async ({ query }) => {
    const { items, ...page } = await inbox().page(...split(query))
    return { items: items.map(summarizeEvent), ...page }
  })
  addRoute(app, routes.getEvent, async ({ params, query }) => {
    const kept = await findEvent(inbox(), params.id, query.tenantId)
    return {
      ...summarizeEvent(kept),
      ...(kept.event !== undefined && { event: maskEvent(kept.event) }),
    }
  })
  addRoute(app, routes.listDeliveries, ({ query }) => deliveries(...split(query)))
  addRoute(app, routes.listDeadLetters, ({ query }) => {
    const [where, options] = split(query)
    return deliveries({ ...where, state: 'dead' }, options)
  })
  addRoute(app, routes.listReceipts, ({ query }) => inbox().receipts(query))
  addRoute(app, routes.getStats, () => inbox().stats())
  addRoute(app, routes.listNodes, async () => ({ items: (await inbox().stats()).nodes }))
  addRoute(app, routes.openStream, async (_, context) => {
    // Hono answers HEAD by this handler too and drops the body unread: a stream that nobody reads would never end.
    if (context.req.method === 'HEAD') return context.body(null, 200, eventStream)
    const opened = stream.open()
    if (opened === undefined) throw new Refusal('tooManyStreams')
    return context.body(opened, 200, eventStream)
  })

  /** One entry for each delivery that fits, with the event it is of. */
  async function deliveries(
    where: Filter,
    options: PageOptions,
  ): Promise<AnswerOf<typeof routes.listDeliveries>> {
    const { items, ...page } = await inbox().page(where, options)
    const fitting = items.flatMap(({ key, type, receivedAt, deliveries: all }) =>
      all.filter((one) => deliveryFits(one, where)).map((one) => ({ ...key, type, receivedAt, ...one })),
    )
    return { items: fitting, ...page }
  }
}

const eventStream = { 'content-type': routes.openStream.answer.mediaType }

/** The filter of a query, and its page. */
function split({ limit, after, order, ...where }: PagedFilter): [Filter, PageOptions] {
  const options = {
    ...(limit !== undefined && { limit }),
    ...(after !== undefined && { after }),
    ...(order !== undefined && { order }),
  }
  return [where, options]
}
