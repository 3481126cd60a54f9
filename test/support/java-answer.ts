import type { Socket } from 'node:net'

/** What a JVM makes of an answer. */
export interface JavaAnswer {
  readonly status: number
  /** How long the connection is kept, `default` where the answer does not say, undefined where it is closed. */
  readonly keepMs: number | 'default' | undefined
  readonly bodyWasRead: boolean
}

interface Pending {
  text: string
  /** Why nothing more comes, in Java's words. */
  over?: string
  wake?: () => void
}

const readers = new WeakMap<Socket, Pending>()

/** Reads what a socket says from now on. Call it again for each answer. */
export function startReading(socket: Socket): void {
  socket.resume()
  if (readers.has(socket)) return
  const pending: Pending = { text: '' }
  readers.set(socket, pending)
  const end = (why: string) => {
    pending.over ??= why
    pending.wake?.()
  }
  socket.setEncoding('latin1').on('data', (text: string) => {
    pending.text += text
    pending.wake?.()
  })
  socket.once('end', () => end('Unexpected end of file from server'))
  socket.once('error', (error: NodeJS.ErrnoException) =>
    end(error.code === 'ECONNRESET' ? 'Connection reset' : 'Unexpected end of file from server'),
  )
  socket.once('close', () => end('Connection reset'))
}

/** Reads one answer, then pauses the socket. The timeout is for each read, as Java's is. */
export async function readAnswer(
  socket: Socket,
  readTimeoutMs: number,
  readsBody: (status: number) => boolean,
): Promise<JavaAnswer> {
  const pending = readers.get(socket)
  if (pending === undefined) throw new Error('startReading comes first')
  let headEnd = pending.text.indexOf('\r\n\r\n')
  while (headEnd < 0) {
    await more(pending, readTimeoutMs)
    headEnd = pending.text.indexOf('\r\n\r\n')
  }
  const head = pending.text.slice(0, headEnd)
  pending.text = pending.text.slice(headEnd + 4)
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1])
  if (Number.isNaN(status)) throw new Error('Invalid Http response')
  const length = Number(headerOf(head, 'content-length') ?? NaN)
  const bodyWasRead = length === 0 || readsBody(status)
  if (length !== 0 && bodyWasRead) await readBody(pending, head, length, readTimeoutMs)
  socket.pause()
  return { status, keepMs: keepTimeOf(head), bodyWasRead }
}

async function readBody(pending: Pending, head: string, length: number, timeoutMs: number): Promise<void> {
  if (/^chunked$/i.test(headerOf(head, 'transfer-encoding') ?? '')) {
    while (!/(^|\r\n)0\r\n\r\n$/.test(pending.text)) await more(pending, timeoutMs)
    pending.text = ''
    return
  }
  while (!(pending.text.length >= length)) {
    if (pending.over !== undefined && Number.isNaN(length)) break // The end of the connection is the end of the body.
    await more(pending, timeoutMs)
  }
  pending.text = Number.isNaN(length) ? '' : pending.text.slice(length)
}

/** `Keep-Alive: timeout` counts only beside `Connection: keep-alive`; anything else in `Connection` closes. */
function keepTimeOf(head: string): JavaAnswer['keepMs'] {
  const connection = headerOf(head, 'connection')
  if (connection === undefined) return head.startsWith('HTTP/1.1') ? 'default' : undefined
  if (connection.toLowerCase() !== 'keep-alive') return undefined
  const keepAlive = headerOf(head, 'keep-alive') ?? ''
  if (/max=[01]\b/.test(keepAlive)) return undefined
  const seconds = /timeout=(\d+)/.exec(keepAlive)?.[1]
  return seconds === undefined || seconds === '0' ? 'default' : Number(seconds) * 1000
}

function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim()
}

function more(pending: Pending, timeoutMs: number): Promise<void> {
  if (pending.over !== undefined) return Promise.reject(new Error(pending.over))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle('Read timed out'), timeoutMs)
    const before = pending.text.length
    function settle(failure: string | undefined): void {
      clearTimeout(timer)
      delete pending.wake
      if (failure === undefined) resolve()
      else reject(new Error(failure))
    }
    pending.wake = () => settle(pending.text.length > before ? undefined : pending.over)
  })
}
