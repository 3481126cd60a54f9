import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import { connectionsOf } from './connections.ts'

const checkEveryMs = 50

/**
 * Makes `server.close()` stop listening, and close each connection after it has been idle for 3 s. node closes idle connections at once,
 * although a JVM may just be writing its next request to one.
 */
export function closeGracefully(server: Server | SecureServer): void {
  const connections = connectionsOf(server)
  const closeAsNode = server.close.bind(server)
  server.close = (callback) => {
    connections.announceClose()
    const timer = setInterval(() => connections.closeIdle(), checkEveryMs)
    const closeIdleConnections = server.closeIdleConnections.bind(server)
    server.closeIdleConnections = () => {} // node's close calls it.
    closeAsNode((error) => {
      clearInterval(timer)
      callback?.(error)
    })
    server.closeIdleConnections = closeIdleConnections
    connections.closeIdle()
    return server
  }
}
