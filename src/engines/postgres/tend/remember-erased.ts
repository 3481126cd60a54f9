import type { Person } from '../../../model/person.ts'
import { nameOf, type PostgresClient, statement } from '../sql.ts'
import type { JudgedNow } from '../storage/judge-time.ts'

/** Stores, under a keyed hash of the person, that events of the person which are not newer than now are blanked when they are appended. */
export function prepareRememberErased(
  schema: string,
  judgeTime: (client: PostgresClient) => Promise<JudgedNow>,
): (client: PostgresClient, person: Person) => Promise<void> {
  const insert = statement(
    `${schema}.erase_remember`,
    `
    insert into ${schema}.erased (person, at) values (${schema}.person($1::uuid, $2), ${schema}.now() - $3::bigint)
    on conflict (person) do update set at = excluded.at
    `,
  )
  return async (client, { userId, tenantId = '*' }) => {
    const { doubtedMs } = await judgeTime(client) // By a clock that is ahead, future events of the person would be blanked, too.
    await insert(client, nameOf(userId), tenantId, Math.round(doubtedMs))
  }
}
