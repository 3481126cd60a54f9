import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { duplexPair } from 'node:stream'
import { codeOf } from '../../lib/code-of.ts'
import { misused } from '../failure.ts'
import { text } from '../text.ts'

/** A captured request, given to node's own parser as if it had just arrived. */
export interface Captured {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Its sender hangs up: a body that is not complete by then will not be. */
  hangUp(): void
  /** What had to be mended before it could be read. */
  readonly mended: readonly string[]
}

/**
 * Reads a request as it stood on the wire: request line, headers, an empty line, body. What editors and terminals do to line ends is
 * mended in the head; the body's bytes are left alone.
 */
export async function readCaptured(file: Buffer, apartBody?: Buffer): Promise<Captured> {
  const { head, body: inFile } = parted(file)
  const body = apartBody ?? inFile
  const lines = head
    .toString('latin1')
    .split(/\r?\n/)
    .filter((line) => line !== '')
  const mended = []
  if (!/^[A-Z]+ \S+ HTTP\/1\.[01]$/.test(lines[0] ?? '')) {
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/.test(lines[0] ?? '')) {
      lines.unshift('POST /fusionauth-webhook HTTP/1.1')
      mended.push('It has no request line: taken for a POST.')
    } else
      throw misused(text`This is no captured request: it begins with neither a request line nor a header.`)
  }
  const has = (name: string) => lines.some((line) => line.toLowerCase().startsWith(`${name}:`))
  if (!has('host')) lines.push('Host: localhost')
  if (!has('content-length') && !has('transfer-encoding')) {
    lines.push(`Content-Length: ${body.length}`)
    mended.push(`It has no Content-Length: taken for ${body.length}, what is there.`)
  }
  return {
    ...(await parse(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]))),
    mended,
  }
}

function parted(file: Buffer): { head: Buffer; body: Buffer } {
  const ends = ['\r\n\r\n', '\n\n'].map((end) => ({ at: file.indexOf(end), length: end.length }))
  const [first] = ends.filter(({ at }) => at >= 0).toSorted((a, b) => a.at - b.at)
  if (first === undefined) return { head: file, body: Buffer.alloc(0) }
  return { head: file.subarray(0, first.at), body: file.subarray(first.at + first.length) }
}

function parse(wire: Buffer): Promise<Omit<Captured, 'mended'>> {
  return new Promise((resolve, reject) => {
    const [sender, receiver] = duplexPair()
    const server = createServer({ maxHeaderSize: 8192 }, (request, response) =>
      resolve({ request, response, hangUp: () => sender.end() }),
    )
    server.on('clientError', (error, socket) => {
      socket.destroy()
      const why = codeOf(error) ?? error.message
      reject(misused(text`node cannot read it as HTTP (${why}); the receiver answers 400.`))
    })
    const unheard = (why: string) => reject(misused(text`The receiver never sees this request: ${why}.`))
    server.on('connect', () => unheard('CONNECT asks for a tunnel, and node closes its connection'))
    server.on('checkExpectation', () => unheard('node answers its Expect with 417'))
    server.emit('connection', receiver)
    sender.resume()
    sender.write(wire)
  })
}
