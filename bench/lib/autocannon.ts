import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import type { Job, Outcome } from './generators.ts'
import { fill, template } from './load.ts'

// The program in whose process autocannon runs: takes the name of a file with a Job, prints the Outcome.

const [, , file = ''] = process.argv
const job = JSON.parse(readFileSync(file, 'utf8')) as Job // As generators.ts writes it.
const rows = readFileSync(job.rowsFile, 'utf8').trimEnd().split('\n')
const headers = Object.entries(job.headers).map(([name, value]) => [name, template(value)] as const)
const body = template(job.body)
let given = 0

const { errors, timeouts, non2xx, requests, duration, latency } = await autocannon({
  url: `http://127.0.0.1:${job.port}${job.path}`,
  connections: job.connections,
  duration: job.seconds,
  method: 'POST',
  requests: [
    {
      setupRequest(request) {
        const columns = rows[given++ % rows.length]?.split('\t') ?? []
        const filled = headers.map(([name, value]) => [name, fill(value, columns)])
        return { ...request, headers: Object.fromEntries(filled), body: fill(body, columns) }
      },
    },
  ],
})
const outcome: Outcome = {
  requests: requests.total,
  failures: errors + timeouts + non2xx,
  seconds: duration,
  p50Ms: latency.p50,
  p99Ms: latency.p99,
}
process.stdout.write(JSON.stringify(outcome))
