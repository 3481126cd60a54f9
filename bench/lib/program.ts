import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a server program tells the harness: where it listens, and at each request for it what it has used so far. */
export type Told = { readonly port: number } | Usage

export interface Usage {
  readonly cpuMs: number
  readonly rssBytes: number
}

/** Makes this process a server of a benchmark: listens on a free port, says which, and ends with the harness. */
export function listen(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo // A listening TCP server has one.
    tellPort(port)
  })
}

/** The same for a server that listens already. */
export function tellPort(port: number): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    tell({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() })
  })
  process.on('disconnect', () => process.exit())
  tell({ port })
}

function tell(told: Told): void {
  process.send?.(told)
}
