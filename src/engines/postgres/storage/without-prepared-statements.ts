import type { PostgresClient, PostgresPool } from '../sql.ts'

/**
 * The same pool, but its statements have no names and are planned each time they run. For a pooler that shares connections by transaction:
 * it may send the next statement to a server connection that does not know the name.
 */
export function withoutPreparedStatements(pool: PostgresPool): PostgresPool {
  const wrapped = new WeakMap<PostgresClient, PostgresClient>()
  return {
    ...(pool.options !== undefined && { options: pool.options }),
    async connect() {
      const client = await pool.connect()
      const nameless = wrapped.get(client) ?? withoutNames(client)
      wrapped.set(client, nameless)
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
    on: client.on.bind(client) as PostgresClient['on'], // TypeScript gives a bound function its last overload only.
    release: (destroy) => client.release(destroy),
    ...(client.unref !== undefined && { unref: () => client.unref?.() }),
  }
}
