import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { discard } from './discard.ts'
import { announceClose } from './announce-keep-alive.ts'

const closing = new WeakSet<Socket>()

/** Whether the last request of this connection has been answered. */
export function isClosing(socket: Socket): boolean {
  return closing.has(socket)
}

/** Answers a request and closes its connection. The rest of a body that has not ended is discarded before the close. */
export async function endAndClose(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer | undefined,
): Promise<void> {
  announceClose(response)
  closing.add(request.socket)
  if (!request.complete && !request.readableEnded) {
    response.flushHeaders()
    // The answer is complete after this write, but only `end` lets node close the socket.
    if (body !== undefined) response.write(body)
    await discard(request)
    response.end()
  } else response.end(body)
}
