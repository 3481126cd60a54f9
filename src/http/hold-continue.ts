import type { Server, ServerResponse } from 'node:http'

const waiting = new WeakSet<ServerResponse>()

/** Makes a sender that asks `Expect: 100-continue` wait until its headers have been found good. */
export function holdContinue(server: Server): void {
  server.on('checkContinue', (request, response) => {
    waiting.add(response)
    server.emit('request', request, response)
  })
}

/** Tells a sender that waits to go on. */
export function continueIfAsked(response: ServerResponse): void {
  if (waiting.delete(response)) response.writeContinue()
}
