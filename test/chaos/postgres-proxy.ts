import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to the database that can be cut, silenced, and turned to another. */
export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** Ends every connection, in the middle of whatever it was saying. */
  cut(): void
  /** Leads all connections to come to this port. */
  turn(toPort: number): void
  /** Keeps every connection, takes new ones, and forwards nothing any more: as a cut cable, or a server that hangs. */
  silence(): void
  /** Bytes that went to the database so far. */
  sent(): number
}

export async function proxy(toPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let target = toPort
  let silent = false
  let sent = 0
  const server = createServer((from) => {
    if (silent) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => sockets.delete(from))
      return
    }
    const to = connect(target, '127.0.0.1')
    from.on('data', (bytes: Buffer) => {
      sent += bytes.length
    })
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
    sent: () => sent,
    silence() {
      silent = true
      for (const socket of sockets) socket.unpipe().pause()
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
