import type { EventKey } from '../../../model/event-key.ts'
import type { Kept } from '../../../model/kept.ts'
import { type PostgresClient, statement } from '../sql.ts'
import type { Place } from '../tend/place.ts'
import { prepareLoadEvents } from './load-events.ts'

/** Index: primary key (created, tenant, id). */
export function prepareGetEvent(
  schema: string,
): (client: PostgresClient, key: EventKey) => Promise<Kept | undefined> {
  const findPlace = statement<Place>(
    `${schema}.get`,
    `
    select position::float8, created::float8 from ${schema}.events where created = $1 and tenant = $2 and id = $3
    `,
  )
  const load = prepareLoadEvents(schema)
  return async (client, key) => {
    const [place] = await findPlace(client, key.createInstant, key.tenantId, key.id)
    if (place === undefined) return undefined
    return (await load(client, [place], true)).get(place.position)
  }
}
