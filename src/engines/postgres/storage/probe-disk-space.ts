import { randomBytes } from 'node:crypto'
import { type PostgresClient, statement } from '../sql.ts'

/**
 * Writes so many bytes inside the caller's transaction and deletes them again. Fails with 53100 when the server's disk has no space for
 * them. The bytes are random, because the server could compress others.
 */
export function prepareProbeDiskSpace(
  schema: string,
): (client: PostgresClient, bytes: number) => Promise<void> {
  const insert = statement<never>(
    `${schema}.probe_space`,
    `insert into ${schema}.aside (kind, hash, body) values ('probe', $1::bytea, $2::bytea)`,
  )
  const remove = statement<never>(
    `${schema}.probe_space_end`,
    `delete from ${schema}.aside where hash = $1::bytea and kind = 'probe'`,
  )
  return async (client, bytes) => {
    const hash = randomBytes(32)
    await insert(client, hash, randomBytes(bytes))
    await remove(client, hash)
  }
}
