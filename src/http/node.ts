export { hardenServer } from './harden-server.ts'
export { serve, type ServeOptions, type Served } from './serve.ts'
export { toNodeHandler } from './to-node-handler.ts'
export type { Stoppable } from './stop-together.ts'
