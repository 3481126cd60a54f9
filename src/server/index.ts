export { forward, type ForwardOptions } from './forward.ts'
export type { AdminOptions, DoorOptions, ServerOptions } from './options.ts'
export { type Server, startServer } from './server.ts'
export { type AdminToken, adminToken, newAdminSecret, type Scope } from './tokens.ts'
