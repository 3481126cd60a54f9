/** What a fragment in the docs may use without saying where it comes from: the package's own names, and the parts of somebody's application. */
import { DatabaseSync } from 'node:sqlite'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { sqlite } from 'fusewire/sqlite'

export * from 'fusewire'
export * from 'fusewire/node'
export * from 'fusewire/postgres'
export * from 'fusewire/sqlite'

/** Its inbox is gone with the process, so that an example may start it and look into it. */
export const webhook = new Webhook({
  authenticate: apiKey('made up for the docs, 32 bytes..'),
  inbox: sqlite(new DatabaseSync(':memory:'), { allowVolatile: true }),
})

/** Never started, so never opened. */
export const fleet = new Webhook({
  authenticate: apiKey('made up for the docs, 32 bytes..'),
  inbox: postgres('postgres://localhost'),
})

interface Call {
  readonly signal?: AbortSignal
  readonly idempotencyKey?: string
}

export const todos = { deleteAll: async (_userId: string, _call?: Call): Promise<void> => {} }
export const mail = { welcome: async (_userId: string, _call?: Call): Promise<void> => {} }
export const crm = { forget: async (_userId: string, _call?: Call): Promise<void> => {} }
export const audit = { write: (_id: string, _what: unknown): void => {} }
