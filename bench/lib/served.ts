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
 * @param program Calls `listen` of lib/program.ts, and takes the package from `imported` of lib/build.ts.
 */
export function served(name: string, program: URL, load: Load, args: readonly string[] = []): Subject {
  return {
    name,
    async open({ ms, build }) {
      const seconds = Math.max(1, Math.round(ms / 1000))
      const bodyBytes = Buffer.byteLength(fill(template(load.body), load.row(0)))
      const server = await startServer(program, args, build)
      const folder = temporaryFolder()
      const rowsFile = join(folder, 'rows')
      let given = 0

      return {
        async measure() {
          const rows = seconds * rowsPerSecond
          await writeFile(rowsFile, linesOf(load, given, rows))
          given += rows

          const before = await server.usage()
          const job = { ...load, port: server.port, seconds, bodyBytes, rowsFile }
          const { requests, failures, ...took } = await generate(job, folder)
          const after = await server.usage()

          if (failures > 0) throw new Error(`${name}: ${failures} of ${requests} requests failed.`)
          if (requests > rows) throw new Error(`${name}: ${requests} requests, but ${rows} rows.`)
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

let written: { readonly row: Load['row']; readonly from: number; readonly lines: string } | undefined

/** Signing them takes longer than a measurement, and in one round all subjects get the same. */
function linesOf({ row }: Load, from: number, count: number): string {
  if (written?.row !== row || written.from !== from) {
    const rows = Array.from({ length: count }, (_, n) => `${row(from + n).join('\t')}\n`)
    written = { row, from, lines: rows.join('') }
  }
  return written.lines
}
