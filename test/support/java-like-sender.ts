import { connect, type Socket } from 'node:net'
import { readAnswer, startReading } from './java-answer.ts'

/** One POST. */
export interface JavaPost {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Sends POSTs as a JVM does. */
export interface JavaSender extends AsyncDisposable {
  /**
   * Resolves with the status. Rejects when there is none, with Java's message: `Unexpected end of file from server`, `Connection reset`,
   * `Read timed out`, `Error writing to server` or `Connection refused`.
   */
  post(what?: JavaPost): Promise<number>
}

export interface JavaLikeSender extends JavaSender {
  /** Connections opened so far. */
  readonly opened: number
  /** Connections that this side has not closed: kept for the next POST, in use, or left with an error body that nobody read. */
  readonly open: number
  /** Times a body was written, the second write after `Error writing to server` included. */
  readonly written: number
}

export interface JavaLikeOptions {
  /** For each read. Default: 2,000. */
  readonly readTimeoutMs?: number
  /** Whether the caller reads error bodies. Default: false, so that their connections stay open and are not used again. */
  readonly readsErrorBodies?: boolean
}

/** `http.maxConnections`. */
const keptPerHost = 5
/** Where the answer has no `Keep-Alive: timeout` beside `Connection: keep-alive`. */
const defaultKeepMs = 5000
/** How often the JVM's thread looks for kept connections whose time is over. */
const reapEveryMs = 5000

/**
 * Sends as Java's HttpURLConnection does with `sun.net.http.retryPost=false` (sun.net.www.http.HttpClient and KeepAliveCache of OpenJDK 17,
 * measured also on 21 and 25). Of a host it keeps five connections, and takes the one used last without a look whether it is still open:
 * where the receiver has closed it, the POST fails and is not sent again. While it writes a body it reads nothing; when the write fails it
 * writes the body once more over a new connection, and then fails with `Error writing to server`. It follows no redirects; a JVM does.
 */
export function javaLikeSender(url: string | URL, options: JavaLikeOptions = {}): JavaLikeSender {
  const { readTimeoutMs = 2000, readsErrorBodies = false } = options
  const target = new URL(url)
  const port = Number(target.port || 80)
  const host = target.hostname.replace(/^\[|\]$/g, '')
  const kept: Kept[] = []
  const open = new Set<Socket>()
  /** Of the first connection that was put into the empty cache: JDK 17 applies it to all of a host. */
  let keepMs = defaultKeepMs
  let opened = 0
  let written = 0
  const reaper = setInterval(closeExpired, reapEveryMs)
  reaper.unref()

  function closeExpired(): void {
    for (const { socket, since } of kept.splice(0)) {
      if (performance.now() - since > keepMs) socket.destroy()
      else kept.push({ socket, since })
    }
  }

  function takeKept(): Socket | undefined {
    for (let last = kept.pop(); last !== undefined; last = kept.pop()) {
      if (performance.now() - last.since <= keepMs) return last.socket
      last.socket.destroy()
    }
    return undefined
  }

  function keep(socket: Socket, forMs: number): void {
    if (kept.length === 0) keepMs = forMs
    if (kept.length < keptPerHost) kept.push({ socket, since: performance.now() })
    else socket.destroy()
  }

  async function openNew(): Promise<Socket> {
    const socket = await connectPaused(host, port)
    opened += 1
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    return socket
  }

  async function post({ headers = {}, body = '' }: JavaPost): Promise<number> {
    const bytes = Buffer.from(body)
    const head = headOf(target, headers, bytes.length)
    const write = (socket: Socket) => {
      written += 1
      return writeAll(socket, head, bytes)
    }
    let socket = takeKept() ?? (await openNew())
    if (!(await write(socket))) {
      socket.destroy()
      socket = await openNew()
      if (!(await write(socket))) {
        socket.destroy()
        throw new Error('Error writing to server')
      }
    }
    startReading(socket)
    try {
      const answer = await readAnswer(socket, readTimeoutMs, (status) => status < 400 || readsErrorBodies)
      if (!answer.bodyWasRead) return answer.status // The connection stays, until it is collected as garbage.
      if (answer.keepMs === undefined) socket.destroy()
      else keep(socket, answer.keepMs === 'default' ? defaultKeepMs : answer.keepMs)
      return answer.status
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  return {
    post: (what = {}) => post(what),
    get opened() {
      return opened
    },
    get open() {
      return open.size
    },
    get written() {
      return written
    },
    async [Symbol.asyncDispose]() {
      clearInterval(reaper)
      for (const socket of open) socket.destroy()
    },
  }
}

interface Kept {
  readonly socket: Socket
  readonly since: number
}

/** A socket that reads nothing before it is told to, and stays open when the other side has ended. */
function connectPaused(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  socket.pause()
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(new Error('Connection refused', { cause }))
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      socket.on('error', () => {}) // Whoever writes or reads is told; a connection that is kept tells nobody, as in a JVM.
      resolve(socket)
    })
  })
}

/** A JVM writes the headers and the body apart, so a reset that comes between the two fails the second. False where a write failed. */
async function writeAll(socket: Socket, head: string, body: Buffer): Promise<boolean> {
  const write = (bytes: Uint8Array) =>
    new Promise<boolean>((resolve) => socket.write(bytes, (error) => resolve(!error)))
  return (await write(Buffer.from(head, 'latin1'))) && (body.length === 0 || (await write(body)))
}

function headOf(target: URL, headers: Readonly<Record<string, string>>, length: number): string {
  const lines = [
    `POST ${target.pathname}${target.search} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'User-Agent: Java/17.0.15',
    `Host: ${target.host}`,
    'Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
    'Connection: keep-alive',
    `Content-Length: ${length}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}
