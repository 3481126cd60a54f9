import type { Arrival } from '../../../model/arrival.ts'
import { nameOf, type PostgresClient, type Statement, statement } from '../sql.ts'
import { isErased } from './is-erased.ts'
import { durably } from './transact.ts'

/** Keeps an arrival without deliveries, once however often it is sent; nothing of a person who was erased. Index: primary key (hash). */
export function prepareSetAside(
  schema: string,
): (client: PostgresClient, kind: 'conflict' | 'stale', arrival: Arrival) => Promise<void> {
  const insert = statement(
    `${schema}.append_aside`,
    `
    insert into ${schema}.aside
      (kind, hash, created, tenant, id, type, source, received, lane, names, applications, trace, body, accepted)
    select $1, $2::bytea, a.created, a.tenant, $5, $6, $7, a.received, $9, a.subjects, $11, $12, $13, $14::boolean
    from (select $3::bigint as created, $4::text as tenant, $8::bigint as received, $10::uuid[] as subjects) a
    where ${durably} and not (${isErased(schema, 'a')})
    ${acceptLater}
    `,
  )
  return async (client, kind, { key, type, source, receivedAt, lane, ...arrival }) => {
    await insert(
      client,
      kind,
      arrival.hash,
      key.createInstant,
      key.tenantId,
      key.id,
      type,
      source,
      Math.round(receivedAt),
      lane === undefined ? undefined : nameOf(lane),
      arrival.subjects.map(nameOf),
      arrival.applicationIds,
      arrival.trace,
      arrival.body,
      arrival.refused === undefined,
    )
  }
}

/** Keeps only the bytes of an arrival, because one of its other fields may be what no column takes. Index: primary key (hash). */
export function prepareQuarantine(
  schema: string,
): (client: PostgresClient, arrival: Arrival) => Promise<void> {
  const insert: Statement<never> = statement(
    `${schema}.append_quarantined`,
    `
    insert into ${schema}.aside (kind, hash, body, accepted)
    select 'quarantined', $1::bytea, $2::bytea, $3::boolean where ${durably}
    ${acceptLater}
    `,
  )
  return async (client, { hash, body, refused }) => {
    await insert(client, hash, body, refused === undefined)
  }
}

/** A gate that refused the same bytes before may accept a resend of them. */
const acceptLater = `
    on conflict (hash) do update set accepted = true where excluded.accepted and not aside.accepted`
