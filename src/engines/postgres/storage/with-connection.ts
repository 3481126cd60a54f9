import { isLost } from '../errors.ts'
import { answerWithinMs, type PostgresClient, type PostgresPool } from '../sql.ts'
import type { Connected } from './connect.ts'

/** Clients that have our listener already: a pool gives the same client many times. */
const listening = new WeakSet<PostgresClient>()

/** Runs with a connection of the pool, and gives it back. One that failed is closed instead. */
export async function withConnection<T>(
  { pool, borrowed }: Connected,
  run: (client: PostgresClient) => Promise<T>,
): Promise<T> {
  const client = await take(pool)
  borrowed.add(client)
  if (!listening.has(client)) {
    listening.add(client)
    client.on('error', () => {}) // The running statement rejects with the same error. Without a listener node would end the process.
  }
  try {
    const result = await run(client)
    if (borrowed.delete(client)) client.release()
    return result
  } catch (error) {
    if (borrowed.delete(client)) client.release(isLost(error)) // Not in `borrowed` any more: closing the inbox has released it.
    throw error
  }
}

/** Takes a connection out of the pool within 10 s: `pg` waits without end unless `connectionTimeoutMillis` is set. */
function take(pool: PostgresPool): Promise<PostgresClient> {
  if (pool.options?.connectionTimeoutMillis) return pool.connect()
  return new Promise((resolve, reject) => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(new Error(`timeout exceeded when trying to connect: no connection in ${answerWithinMs} ms`))
    }, answerWithinMs)
    pool.connect().then(
      (client) => {
        clearTimeout(timer)
        if (isLate) client.release()
        else resolve(client)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
