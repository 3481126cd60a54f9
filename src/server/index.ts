/**
 * The server behind `fusewire serve`, with its admin listener, and forwarding to other services.
 *
 * @module fusewire/server
 */
export { forward, type ForwardOptions } from './forward.ts'
export type { AdminOptions, DoorOptions, ServerOptions } from './options.ts'
export { type Server, startServer } from './start-server.ts'
export { type AdminToken, adminToken, newAdminSecret, type Scope } from './admin-token.ts'
