import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pairs } from './keys.ts'

/** A JWKS on a port, that can be told to misbehave. */
export interface JwksServer extends AsyncDisposable {
  readonly url: string
  /** Requests so far. */
  hits: number
  /** The keys it serves. */
  keys: readonly object[]
  /** Answers instead of serving the keys. */
  misbehave: ((response: ServerResponse) => void) | undefined
}

export async function jwksServer(...keys: readonly object[]): Promise<JwksServer> {
  const server = createServer((_, response) => {
    state.hits += 1
    if (state.misbehave !== undefined) return state.misbehave(response)
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: state.keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  const state: JwksServer = {
    url: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    hits: 0,
    keys,
    misbehave: undefined,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
  return state
}

export function publicJwk(pair: keyof typeof pairs, members: object = {}): object {
  return { ...pairs[pair].publicKey.export({ format: 'jwk' }), use: 'sig', ...members }
}
