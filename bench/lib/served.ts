import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Subject } from './benchmark.ts'
import { generate } from './generators.ts'
import { fill, type Load, template } from './load.ts'
import { startServer } from './server.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** More than any server here answers in a second. */
const rowsPerSecond = 60_000

/**
 * A server program under load, each in a process of its own. The server stays for all rounds. An answer that is not 2xx ends the
 * benchmark: what is measured must be the work.
 *
 * @param program Calls `listen` of lib/program.ts.
 */
export function served(name: string, program: URL, load: Load, args: readonly string[] = []): Subject {
  return {
    name,
    async open({ ms }) {
      const seconds = Math.max(1, Math.round(ms / 1000))
      const bodyBytes = Buffer.byteLength(fill(template(load.body), load.row(0)))
      const server = await startServer(program, args)
      const folder = temporaryFolder()
      const rowsFile = join(folder, 'rows')
      let given = 0

      return {
        async measure() {
          const rows = Array.from({ length: seconds * rowsPerSecond }, () => load.row(given++))
          await writeFile(rowsFile, rows.map((columns) => `${columns.join('\t')}\n`).join(''))

          const before = await server.usage()
          const job = { ...load, port: server.port, seconds, bodyBytes, rowsFile }
          const { requests, failures, ...took } = await generate(job, folder)
          const after = await server.usage()

          if (failures > 0) throw new Error(`${name}: ${failures} of ${requests} requests failed.`)
          if (requests > rows.length)
            throw new Error(`${name}: ${requests} requests, but ${rows.length} rows.`)
          return {
            'requests/s': requests / took.seconds,
            'p50 ms': took.p50Ms,
            'p99 ms': took.p99Ms,
            // Of the server's process: steadier than requests/s where the machine has other work.
            'CPU µs/request': ((after.cpuMs - before.cpuMs) / requests) * 1000,
            'resident MB': after.rssBytes / 1e6,
          }
        },
        close: () => server.close(),
      }
    },
  }
}
