import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { announceClose, idleBeforeCloseMs } from './announce-keep-alive.ts'

/** A TCP connection to a server. */
interface Connection {
  readonly socket: Socket
  readonly of: Connections
  /** Requests that have no whole answer yet. */
  underWay: number
  /** When it was opened, or its last answer ended. By `performance.now()`. */
  idleSince: number
}

/** By the socket of its requests. */
const connectionOf = new WeakMap<Socket, Connection>()
const ofServer = new WeakMap<Server | SecureServer, Connections>()

/** Notes that the sender at this socket has been authenticated. Does nothing for a server whose connections are not tracked. */
export function markAuthenticated({ socket }: IncomingMessage): void {
  const connection = connectionOf.get(socket)
  connection?.of.trust(connection)
}

/** The connections of a server. They are tracked from the first call on: call it before the server listens. */
export function connectionsOf(server: Server | SecureServer): Connections {
  const known = ofServer.get(server)
  if (known !== undefined) return known
  const connections = new Connections(server)
  ofServer.set(server, connections)
  return connections
}

/** Which connections are open, whose sender was authenticated, and which of them may be closed. */
export class Connections {
  /** More than so many are not held open. */
  limit: number = Infinity
  /** When the server closes, a connection stays open until it has been idle for so long. */
  serveKeptMs: number = idleBeforeCloseMs
  /** Connections over which no sender was authenticated. In order of opening. */
  readonly #strangers = new Set<Connection>()
  /** In order of the last authenticated request, the longest ago first. */
  readonly #trusted = new Set<Connection>()
  readonly #answering = new Set<ServerResponse>()
  #closing = false

  constructor(server: Server | SecureServer) {
    // A secure server too emits this for the TCP socket, before the handshake.
    server.on('connection', (socket: Socket) => this.#add(socket))
    if ('setSecureContext' in server) this.#followHandshakes(server)
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#follow(request.socket, response),
    )
  }

  /** Its sender has been authenticated: it goes after all others when connections have to be closed. */
  trust(connection: Connection): void {
    if (!this.#strangers.delete(connection) && !this.#trusted.delete(connection)) return
    this.#trusted.add(connection)
  }

  /** From now on every answer says `Connection: close`. */
  lastAnswers(): void {
    this.#closing = true
    for (const response of this.#answering) if (!response.headersSent) announceClose(response)
  }

  /** Closes the connections that have been idle for `serveKeptMs`. */
  closeIdle(): void {
    const before = performance.now() - this.serveKeptMs
    for (const connection of [...this.#strangers, ...this.#trusted]) {
      if (isIdle(connection, before)) connection.socket.destroy()
    }
  }

  #add(socket: Socket): void {
    const connection = { socket, of: this, underWay: 0, idleSince: performance.now() }
    connectionOf.set(socket, connection)
    this.#strangers.add(connection)
    socket.once('close', () => this.#remove(connection))
    if (this.#strangers.size + this.#trusted.size <= this.limit) return
    const surplus = this.#leastMissed(connection)
    this.#remove(surplus) // Its close comes later; until then it must not be chosen again.
    surplus.socket.destroy()
  }

  #remove(connection: Connection): void {
    this.#strangers.delete(connection)
    this.#trusted.delete(connection)
  }

  /** The oldest connection without authentication, then the authenticated one that no sender will use again, then the newcomer. */
  #leastMissed(newcomer: Connection): Connection {
    const [oldest] = this.#strangers
    if (oldest !== undefined && oldest !== newcomer) return oldest
    const before = performance.now() - idleBeforeCloseMs
    for (const connection of this.#trusted) if (isIdle(connection, before)) return connection
    return newcomer
  }

  #follow(socket: Socket, response: ServerResponse): void {
    const connection = connectionOf.get(socket)
    if (connection !== undefined) connection.underWay += 1
    this.#answering.add(response)
    if (this.#closing) announceClose(response)
    response.on('close', () => {
      this.#answering.delete(response)
      if (connection === undefined) return
      connection.underWay -= 1
      connection.idleSince = performance.now()
    })
  }

  /** A request of a secure server comes by a TLS socket of the same two addresses as the TCP socket underneath. */
  #followHandshakes(server: SecureServer): void {
    const shakingHands = new Map<string, Connection>()
    server.on('connection', (socket: Socket) => {
      const connection = connectionOf.get(socket)
      const name = addressesOf(socket)
      if (connection === undefined || name === undefined) return
      shakingHands.set(name, connection)
      socket.once('close', () => {
        if (shakingHands.get(name) === connection) shakingHands.delete(name)
      })
    })
    server.on('secureConnection', (secure: Socket) => {
      const name = addressesOf(secure)
      const connection = name === undefined ? undefined : shakingHands.get(name)
      if (connection !== undefined) connectionOf.set(secure, connection)
    })
  }
}

function isIdle({ underWay, idleSince }: Connection, before: number): boolean {
  return underWay === 0 && idleSince <= before
}

function addressesOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
  if (remotePort === undefined) return undefined
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
