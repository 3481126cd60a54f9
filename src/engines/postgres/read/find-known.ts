import type { Copy } from '../../../model/arrival.ts'
import { type PostgresClient, statement } from '../sql.ts'

/** Returns, for each copy of an event, whether the inbox has it with the same bytes and accepted it. Indexes: primary keys (created, tenant, id), (hash). */
export function prepareFindKnown(
  schema: string,
): (client: PostgresClient, copies: readonly Copy[]) => Promise<readonly boolean[]> {
  const find = statement<{ known: boolean }>(
    `${schema}.known`,
    `
    select exists (
      select from ${schema}.events e
      where e.created = k.created and e.tenant = k.tenant and e.id = k.id and e.hash = decode(k.hash, 'hex') and e.refused is null
    ) or exists (
      select from ${schema}.aside a where a.hash = decode(k.hash, 'hex') and a.accepted
    ) as known
    from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) with ordinality as k (created, tenant, id, hash, place)
    order by place
    `,
  )
  return async (client, copies) => {
    const rows = await find(
      client,
      copies.map(({ key }) => key.createInstant),
      copies.map(({ key }) => key.tenantId),
      copies.map(({ key }) => key.id),
      copies.map(({ hash }) => Buffer.from(hash).toString('hex')),
    )
    return rows.map(({ known }) => known)
  }
}
