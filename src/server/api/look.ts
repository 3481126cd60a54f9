import { type Context, Hono } from 'hono'
import type { Inbox, KeptEvent } from '../../inbox/inbox.ts'
import { deliveryFits, type Filter } from '../../model/filter.ts'
import type { Kept } from '../../model/kept.ts'
import type { AdminEnv } from '../admin.ts'
import type { Live } from '../live.ts'
import { Given } from './given.ts'
import { masked } from './mask.ts'
import { Refusal } from './refusal.ts'
import { filterNames, filterOf, pageNames, pageOf } from './selection.ts'

/** What any token may do: nothing here shows what an event says of a person, or changes anything. */
export function look(inbox: () => Inbox, live: Live): Hono<AdminEnv> {
  return new Hono<AdminEnv>()
    .get('/events', async (context) => {
      const given = Given.query(context).only([...filterNames, ...pageNames])
      const { items, next } = await inbox().page(filterOf(given), pageOf(given))
      return context.json({ items: items.map(shown), next })
    })
    .get('/events/:id', async (context) => {
      const tenantId = Given.query(context).only(['tenantId']).text('tenantId')
      const kept = await findEvent(inbox(), context.req.param('id'), tenantId)
      return context.json({ ...shown(kept), event: kept.event && masked(kept.event) })
    })
    .get('/deliveries', (context) => {
      const given = Given.query(context).only([...filterNames, ...pageNames])
      return deliveries(context, filterOf(given), given)
    })
    .get('/dead-letters', (context) => {
      const given = Given.query(context).only([
        ...filterNames.filter((name) => name !== 'state'),
        ...pageNames,
      ])
      return deliveries(context, { ...filterOf(given), state: 'dead' }, given)
    })
    .get('/receipts', async (context) => {
      const given = Given.query(context).only(['limit', 'after'])
      return context.json(await inbox().receipts(pageOf(given)))
    })
    .get('/stats', async (context) => context.json(await inbox().stats()))
    .get('/nodes', async (context) => context.json({ items: (await inbox().stats()).nodes }))
    .get('/stream', (context) => {
      // HEAD comes here too, and its body is thrown away unread: a stream of its own would never end.
      if (context.req.method === 'HEAD') return context.body(null, 200, eventStream)
      const stream = live.open()
      if (stream === undefined) throw new Refusal(503, 'tooManyStreams', 'Too many listen already.')
      return context.body(stream, 200, eventStream)
    })

  /** One entry for each delivery that fits, with the event it is of. */
  async function deliveries(context: Context<AdminEnv>, where: Filter, given: Given): Promise<Response> {
    const { items, next } = await inbox().page(where, pageOf(given))
    const fitting = items.flatMap(({ key, type, receivedAt, deliveries: all }) =>
      all.filter((one) => deliveryFits(one, where)).map((one) => ({ ...key, type, receivedAt, ...one })),
    )
    return context.json({ items: fitting, next })
  }
}

const eventStream = { 'content-type': 'text/event-stream' }

/** The event with this id, or the answer that there is none. */
export async function findEvent(inbox: Inbox, id: string, tenantId: string | undefined): Promise<KeptEvent> {
  const kept = await inbox.get(id, tenantId)
  if (kept === undefined) throw new Refusal(404, 'noEvent', 'The inbox has no event with this id.')
  return kept
}

/** All about an event, nothing of what it says. */
function shown(kept: Kept): object {
  const { type, source, receivedAt, keptAt, size, gone, refused, aside, deliveries } = kept
  return { ...kept.key, type, source, receivedAt, keptAt, size, gone, refused, aside, deliveries }
}
