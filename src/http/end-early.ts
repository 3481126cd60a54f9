import type { IncomingMessage, ServerResponse } from 'node:http'

const drainBytes = 64 * 1024
const drainMs = 250

/**
 * Answers before the request's body has ended. A sender that is still writing would lose the answer if the socket were closed at once, and
 * cost us its whole body if it were read to the end: so a little is drained, then the connection goes.
 */
export function endEarly(request: IncomingMessage, response: ServerResponse, body: Buffer | undefined): void {
  response.setHeader('connection', 'close')
  const { socket } = request
  const timer = setTimeout(() => socket.destroy(), drainMs)
  let drained = 0
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length
    if (drained > drainBytes) socket.destroy()
  })
  request.on('error', () => {})
  socket.once('close', () => clearTimeout(timer))
  response.end(body)
  request.resume()
}
