import { admitted, type Authenticator, cost, createAuthenticator } from './authenticator.ts'

/** Admits every request, for the test harness. */
export const everybody: Authenticator = createAuthenticator({
  name: 'everybody',
  cost: cost.headers,
  headers: [],
  prepare: async () => {},
  admit: () => admitted,
})
