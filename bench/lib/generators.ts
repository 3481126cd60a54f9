import { execFile, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Load, template } from './load.ts'

/** A load for this port: as many requests as get answered in this time, over connections that are kept alive. */
export interface Job extends Omit<Load, 'row'> {
  readonly port: number
  readonly seconds: number
  readonly bodyBytes: number
  /** One row a line, columns parted by tabs. */
  readonly rowsFile: string
}

export interface Outcome {
  readonly requests: number
  /** Answers that are not 2xx, and requests without an answer. */
  readonly failures: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const run = promisify(execFile)

/** wrk: one thread of C, which leaves a machine of two cores to the server. */
async function wrk(job: Job, folder: string): Promise<Outcome> {
  const { connections, seconds, port } = job
  const script = join(folder, 'requests.lua')
  await writeFile(script, lua(job))
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script]
  const { stdout } = await run('wrk', [...options, `http://127.0.0.1:${port}`])
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n{'))) as Outcome // As `done` below writes it.
}

/** autocannon, where there is no wrk. It is slower than a bare server, so ratios come out closer to 1 than they are. */
async function autocannon(job: Job, folder: string): Promise<Outcome> {
  const file = join(folder, 'job.json')
  await writeFile(file, JSON.stringify(job))
  const program = new URL('autocannon.ts', import.meta.url).pathname
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', program, file])
  return JSON.parse(stdout) as Outcome // As the program writes it.
}

/** What this machine has. A run uses one for all subjects. */
export const generate: typeof wrk = spawnSync('wrk', ['-v']).error === undefined ? wrk : autocannon

function lua({ port, path, headers, body, bodyBytes, rowsFile }: Job): string {
  const fields = Object.entries({ host: `127.0.0.1:${port}`, 'content-length': bodyBytes, ...headers })
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const request = template(`POST ${path} HTTP/1.1\r\n${head}\r\n${body}`)
  return `
local rows = io.open(${quoted(rowsFile)})
function request()
  local row = rows:read('*l')
  if row == nil then rows:seek('set') row = rows:read('*l') end
  local column = {}
  for value in row:gmatch('[^\\t]+') do column[#column + 1] = value end
  return ${request.map((piece) => (typeof piece === 'string' ? quoted(piece) : `column[${piece}]`)).join(' .. ')}
end
function done(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{"requests":%d,"failures":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f}\\n',
    summary.requests, failures, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
`
}

/** As Lua writes a text: whatever is not plain ASCII as the numbers of its bytes. */
function quoted(text: string): string {
  return `"${text.replace(/[^ !#-[\]-~]/gu, (unprintable) =>
    [...Buffer.from(unprintable)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join(''),
  )}"`
}
