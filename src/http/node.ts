/**
 * A webhook in a server of Node: alone, or in Express, Nest and Koa.
 *
 * @module fusewire/node
 */
export { hardenServer } from './harden-server.ts'
export { serve, type ServeOptions, type Served } from './serve.ts'
export { toNodeHandler } from './to-node-handler.ts'
export type { Stoppable } from './stop-together.ts'
