import type { PostgresClient, PostgresPool } from '../sql.ts'

/**
 * The same pool, whose statements have no names and are planned each time they run: a pooler that shares connections by transaction may
 * send the next one to a server connection that has never heard the name.
 */
export function withoutPreparedStatements(pool: PostgresPool): PostgresPool {
  const known = new WeakMap<PostgresClient, PostgresClient>()
  return {
    ...(pool.options !== undefined && { options: pool.options }),
    async connect() {
      const client = await pool.connect()
      const nameless = known.get(client) ?? withoutNames(client)
      known.set(client, nameless)
      return nameless
    },
  }
}

function withoutNames(client: PostgresClient): PostgresClient {
  return {
    query(statement, values) {
      if (typeof statement === 'string') return client.query(statement, values)
      const { name: _, ...rest } = statement
      return client.query(rest)
    },
    on: client.on.bind(client) as PostgresClient['on'], // Of its overloads bind knows the last.
    release: (destroy) => client.release(destroy),
    ...(client.unref !== undefined && { unref: () => client.unref?.() }),
  }
}
