import { randomBytes } from 'node:crypto'
import { type PostgresClient, statement } from '../sql.ts'

/**
 * Writes so many bytes inside the caller's transaction and takes them away again: fails (53100) when the server's disk has no room for them.
 * Random, because what can be compressed proves less.
 */
export function prepareProbeDiskSpace(
  schema: string,
): (client: PostgresClient, bytes: number) => Promise<void> {
  const insert = statement<never>(
    `${schema}.probe_room`,
    `insert into ${schema}.aside (kind, hash, body) values ('probe', $1::bytea, $2::bytea)`,
  )
  const remove = statement<never>(
    `${schema}.probe_room_end`,
    `delete from ${schema}.aside where hash = $1::bytea and kind = 'probe'`,
  )
  return async (client, bytes) => {
    const hash = randomBytes(32)
    await insert(client, hash, randomBytes(bytes))
    await remove(client, hash)
  }
}
