import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { announceClose, idleBeforeCloseMs } from './announce-keep-alive.ts'

/** A TCP connection to a server. */
interface Connection {
  readonly socket: Socket
  readonly of: Connections
  /** Requests without a complete answer. */
  inProgress: number
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

/** The open connections of a server: who was authenticated over them, and which may be closed. */
export class Connections {
  /** Connections beyond this number are closed. */
  limit: number = Infinity
  /** When the server closes, a connection stays open until it has been idle for so long. */
  serveKeptMs: number = idleBeforeCloseMs
  /** Connections whose sender was never authenticated, the oldest first. */
  readonly #unauthenticated = new Set<Connection>()
  /** Connections whose sender was authenticated, the one with the oldest request first. */
  readonly #authenticated = new Set<Connection>()
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

  /** Its sender was authenticated: when connections must be closed, unauthenticated ones are closed first. */
  trust(connection: Connection): void {
    if (!this.#unauthenticated.delete(connection) && !this.#authenticated.delete(connection)) return
    this.#authenticated.add(connection)
  }

  /** From now on every answer says `Connection: close`. */
  announceClose(): void {
    this.#closing = true
    for (const response of this.#answering) if (!response.headersSent) announceClose(response)
  }

  /** Closes the connections that have been idle for `serveKeptMs`. */
  closeIdle(): void {
    const before = performance.now() - this.serveKeptMs
    for (const connection of [...this.#unauthenticated, ...this.#authenticated]) {
      if (isIdle(connection, before)) connection.socket.destroy()
    }
  }

  #add(socket: Socket): void {
    const connection = { socket, of: this, inProgress: 0, idleSince: performance.now() }
    connectionOf.set(socket, connection)
    this.#unauthenticated.add(connection)
    socket.once('close', () => this.#remove(connection))
    if (this.#unauthenticated.size + this.#authenticated.size <= this.limit) return
    const surplus = this.#leastUseful(connection)
    this.#remove(surplus) // 'close' is emitted later; until then it must not be chosen again.
    surplus.socket.destroy()
  }

  #remove(connection: Connection): void {
    this.#unauthenticated.delete(connection)
    this.#authenticated.delete(connection)
  }

  /** The oldest unauthenticated connection, then an authenticated one that has been idle too long to be used again, then the new one. */
  #leastUseful(newcomer: Connection): Connection {
    const [oldest] = this.#unauthenticated
    if (oldest !== undefined && oldest !== newcomer) return oldest
    const before = performance.now() - idleBeforeCloseMs
    for (const connection of this.#authenticated) if (isIdle(connection, before)) return connection
    return newcomer
  }

  #follow(socket: Socket, response: ServerResponse): void {
    const connection = connectionOf.get(socket)
    if (connection !== undefined) connection.inProgress += 1
    this.#answering.add(response)
    if (this.#closing) announceClose(response)
    response.on('close', () => {
      this.#answering.delete(response)
      if (connection === undefined) return
      connection.inProgress -= 1
      connection.idleSince = performance.now()
    })
  }

  /** A request over TLS has a TLS socket, with the addresses of the TCP socket below it: these connect the two. */
  #followHandshakes(server: SecureServer): void {
    const handshaking = new Map<string, Connection>()
    server.on('connection', (socket: Socket) => {
      const connection = connectionOf.get(socket)
      const name = addressesOf(socket)
      if (connection === undefined || name === undefined) return
      handshaking.set(name, connection)
      socket.once('close', () => {
        if (handshaking.get(name) === connection) handshaking.delete(name)
      })
    })
    server.on('secureConnection', (secure: Socket) => {
      const name = addressesOf(secure)
      const connection = name === undefined ? undefined : handshaking.get(name)
      if (connection !== undefined) connectionOf.set(secure, connection)
    })
  }
}

function isIdle({ inProgress, idleSince }: Connection, before: number): boolean {
  return inProgress === 0 && idleSince <= before
}

function addressesOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
  if (remotePort === undefined) return undefined
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
