import type { Database } from './database.ts'
import { makePartitions } from './partitions.ts'

const everyMs = 60 * 60_000

/** Makes partitions ahead, once an hour, in a real timer that keeps no process alive. */
export function upkeep(database: Database, schema: string): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      // What fails is done in an hour, by this node or another; until then the default partitions hold what comes.
      timer ??= setInterval(
        () => void database.use((client) => makePartitions(client, schema)).catch(() => {}),
        everyMs,
      ).unref()
    },
    stop: () => clearInterval(timer),
  }
}
