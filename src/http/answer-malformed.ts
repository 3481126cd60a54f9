import type { Socket } from 'node:net'
import { discard } from './discard.ts'
import { isClosing } from './end-and-close.ts'

/** A listener for `clientError`: answers a request that node's parser could not read, or that was too slow, and closes the connection. */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isClosing(socket)) {
    socket.destroy()
    return
  }
  const [status, code] = statusOf(error.code)
  const body = JSON.stringify({
    errors: [{ code: `[${code}]`, message: 'This is not an HTTP request we can read.' }],
  })
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  socket.removeAllListeners('data') // Removes node's parser, which would report each further packet as an error.
  void discard(socket).then(() => socket.destroy())
}

function statusOf(code: string | undefined): readonly [string, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'headersTooLarge']
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'timeout']
    default:
      return ['400 Bad Request', 'badRequest']
  }
}
