import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import { connectionsOf } from './connections.ts'

const lookMs = 50

/**
 * Makes `server.close()` close the listener alone, and every connection when it has been idle for 3 s. node's own closes idle connections at
 * once, and each may be the one that a JVM writes its next request to.
 */
export function closeGracefully(server: Server | SecureServer): void {
  const connections = connectionsOf(server)
  const closeAsNode = server.close.bind(server)
  server.close = (callback) => {
    connections.lastAnswers()
    const timer = setInterval(() => connections.closeIdle(), lookMs)
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
