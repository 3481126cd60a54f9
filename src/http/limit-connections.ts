import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'

/**
 * Holds a server to so many connections, and lets no crowd that says nothing keep FusionAuth out: beyond the limit, the oldest connection
 * that never sent a byte is closed, or, when all of them have spoken, the new one.
 */
export function limitConnections(server: Server | SecureServer, limit: number): void {
  const open = new Set<Socket>() // In order of coming.
  // Of a secure server too these are the sockets underneath, so handshakes count.
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (open.size <= limit) return
    const surplus = [...open].find(({ bytesRead }) => bytesRead === 0) ?? socket
    open.delete(surplus) // Its close comes later; until then it must not be chosen again.
    surplus.destroy()
  })
}
