import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to the database that can be cut, and turned to another. */
export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** Ends every connection, in the middle of whatever it was saying. */
  cut(): void
  /** Leads all connections to come to this port. */
  turn(toPort: number): void
}

export async function proxy(toPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let target = toPort
  const server = createServer((from) => {
    const to = connect(target, '127.0.0.1')
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port: (server.address() as AddressInfo).port, // A listening TCP server has one.
    cut,
    turn(port) {
      target = port
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
