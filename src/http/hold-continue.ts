import type { Server, ServerResponse } from 'node:http'

const waiting = new WeakSet<ServerResponse>()

/** Makes a sender of `Expect: 100-continue` wait with its body until its headers have passed. */
export function holdContinue(server: Server): void {
  server.on('checkContinue', (request, response) => {
    waiting.add(response)
    server.emit('request', request, response)
  })
}

/** Sends the `100 Continue` that the sender waits for, if it does. */
export function continueIfAsked(response: ServerResponse): void {
  if (waiting.delete(response)) response.writeContinue()
}
