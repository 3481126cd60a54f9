import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'

/**
 * Holds a server to so many connections, and lets no crowd that says nothing keep FusionAuth out: beyond the limit the connection goes that
 * has been silent longest. One that has ever sent a request stays.
 */
export function letSilentGo(server: Server | SecureServer, limit: number): void {
  const silent = new Set<Socket>()
  let open = 0
  // The socket that requests come by: of a secure server, the one inside.
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => {
    open += 1
    silent.add(socket)
    socket.once('close', () => {
      open -= 1
      silent.delete(socket)
    })
    if (open <= limit) return
    const [oldest] = silent
    oldest?.destroy()
  })
  server.on('request', ({ socket }) => void silent.delete(socket))
}
