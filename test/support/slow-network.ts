import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A network between a sender and a receiver on this machine. */
export interface SlowNetwork extends AsyncDisposable {
  /** The receiver's URL, by way of this network. */
  readonly url: string
  /** How many were opened through it so far. */
  readonly connections: number
}

/** So much is on its way in one direction; the sender waits until some of it has arrived. */
const windowBytes = 64 * 1024

/** Carries bytes, ends and resets of TCP connections, each `delayMs` late in either direction. Default: 10 ms, so 64 KiB a 10 ms at most. */
export async function slowNetwork(url: string | URL, delayMs = 10): Promise<SlowNetwork> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    connections += 1
    const far = connect({
      host: target.hostname,
      port: Number(target.port),
      allowHalfOpen: true,
      noDelay: true,
    })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    carry(near, far, delayMs)
    carry(far, near, delayMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const slow = new URL(target)
  slow.port = String((server.address() as AddressInfo).port) // A listening TCP server has one.
  return {
    url: slow.href,
    get connections() {
      return connections
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function carry(from: Socket, to: Socket, delayMs: number): void {
  let onTheWay = 0
  const later = (what: () => void) => void setTimeout(() => !to.destroyed && what(), delayMs)
  from.on('data', (bytes: Buffer) => {
    onTheWay += bytes.length
    if (onTheWay >= windowBytes) from.pause()
    later(() =>
      to.write(bytes, () => {
        onTheWay -= bytes.length
        if (onTheWay < windowBytes) from.resume()
      }),
    )
  })
  from.once('end', () => later(() => to.end()))
  // A reset, or a write after one.
  from.once('error', () => later(() => to.resetAndDestroy()))
}
