import type { IncomingMessage, ServerResponse } from 'node:http'

const drainBytes = 64 * 1024
const drainMs = 250

/**
 * Answers before the request's body has ended. A sender that is still writing would lose the answer if the socket were closed at once, and
 * cost us its whole body if it were read to the end: so a little is drained, then the connection goes.
 */
export function endEarly(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer | undefined,
): Promise<void> {
  response.setHeader('connection', 'close')
  response.flushHeaders()
  if (body !== undefined) response.write(body)
  return new Promise((resolve) => {
    // The answer is whole, but only its end lets node close the socket.
    function close(): void {
      clearTimeout(timer)
      response.end()
      resolve()
    }
    const timer = setTimeout(close, drainMs)
    let drained = 0
    request.on('data', (chunk: Buffer) => {
      drained += chunk.length
      if (drained > drainBytes) close()
    })
    for (const over of ['end', 'error', 'close']) request.once(over, close)
    request.resume()
  })
}
