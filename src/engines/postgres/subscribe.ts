import type { Subscription } from '../../model/subscription.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'

/** Stores subscriptions inside the caller's transaction. Every append reads this table, so a new handler is known to all nodes at once. */
export function prepareSubscribe(
  schema: string,
): (client: PostgresClient, subscriptions: readonly Subscription[]) => Promise<void> {
  const upsertHandler = prepareUpsertHandler(schema)
  return async (client, subscriptions) => {
    // In order of name: otherwise two nodes that start together would deadlock.
    for (const subscription of subscriptions.toSorted((a, b) => (a.handler < b.handler ? -1 : 1))) {
      const { handler, types, tenantIds, applicationIds, ordering } = subscription
      await upsertHandler(
        client,
        handler,
        types === '*' ? null : types,
        tenantIds,
        applicationIds,
        ordering === 'lane',
      )
    }
  }
}

/** Writes nothing when nothing has changed. Index: unique (name). */
function prepareUpsertHandler(schema: string): Statement<never> {
  return statement(
    `${schema}.subscribe`,
    `
    insert into ${schema}.handlers as h (name, types, tenants, applications, ordered)
    values ($1, $2::text[], $3::text[], $4::text[], $5)
    on conflict (name) do update set
      types = excluded.types, tenants = excluded.tenants, applications = excluded.applications, ordered = excluded.ordered,
      idle = 0, abandoned = null
    where (h.types, h.tenants, h.applications, h.ordered, h.idle, h.abandoned)
      is distinct from (excluded.types, excluded.tenants, excluded.applications, excluded.ordered, 0, null)
    `,
  )
}
