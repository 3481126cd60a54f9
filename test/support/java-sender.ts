import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { JavaPost, JavaSender } from './java-like-sender.ts'

const version = /version "(\d+)/.exec(spawnSync('java', ['-version']).stderr?.toString() ?? '')?.[1]

/** Java 11 and later run a source file; 17 is the oldest that this one was tried on. */
export const hasJava = version !== undefined && Number(version) >= 17
if (!hasJava) console.warn('There is no java (17 or later) here: the real HttpURLConnection is not tried.')

/** A JVM that takes POSTs by its standard input. */
interface Jvm {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  /** Who waits for the outcome of a POST, by its name. */
  readonly waiting: Map<string, (outcome: string) => void>
  sent: number
}

let started: Promise<Jvm> | undefined

/** Posts by the real HttpURLConnection, with `sun.net.http.retryPost=false`. All senders of a test file share one JVM: it takes seconds to start. */
export async function startJavaSender(url: string | URL): Promise<JavaSender> {
  const jvm = await (started ??= startJvm())
  return {
    async post(what = {}) {
      const name = String((jvm.sent += 1))
      const outcome = new Promise<string>((resolve) => jvm.waiting.set(name, resolve))
      jvm.child.stdin.write(lineOf(name, String(url), what))
      const text = await outcome
      if (!/^\d{3}$/.test(text)) throw new Error(text.replace(/ \(.*\)$/, ''))
      return Number(text)
    },
    async [Symbol.asyncDispose]() {}, // The JVM ends with this process, when its standard input does.
  }
}

async function startJvm(): Promise<Jvm> {
  const source = fileURLToPath(new URL('JavaSender.java', import.meta.url))
  const child = spawn('java', ['-Dsun.net.http.retryPost=false', source], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting: Jvm['waiting'] = new Map()
  const lines = createInterface(child.stdout)
  const ready = once(lines, 'line')
  lines.on('line', (line) => {
    const [name = '', outcome = ''] = line.split('\t')
    waiting.get(name)?.(outcome)
    waiting.delete(name)
  })
  await ready
  return { child, waiting, sent: 0 }
}

function lineOf(name: string, url: string, { headers = {}, body = '' }: JavaPost): string {
  const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64')
  const words = Object.entries(headers).map(([header, value]) => `${header}=${base64(value)}`)
  return `${[name, url, `=${base64(body)}`, ...words].join('\t')}\n`
}
