import { disposeAll } from '../../lib/dispose-all.ts'
import { wrongOption } from '../../model/errors.ts'
import type { IncomingRequest } from '../../model/incoming-request.ts'
import { type Authenticator, type Cost, createAuthenticator, type Verdict } from './authenticator.ts'

/** Cheap ones first. @throws FW_OPTION for fewer than two. */
export function orderByCost(name: string, all: readonly Authenticator[]): readonly Authenticator[] {
  if (all.length < 2 || all.some((one) => one?.admit === undefined)) {
    throw wrongOption(
      'authenticators',
      `${name} takes two or more authenticators: apiKey, basicAuth, signature, check.`,
    )
  }
  return all.toSorted((a, b) => a.cost - b.cost)
}

/** One authenticator that has the headers, the keys and the cost of all its parts. */
export function combineAuthenticators(
  name: string,
  parts: readonly Authenticator[],
  notReady: () => string | undefined,
  admit: (request: IncomingRequest) => Promise<Verdict>,
): Authenticator {
  return createAuthenticator({
    name,
    cost: Math.max(...parts.map((part) => part.cost)) as Cost, // The greatest of some costs is a cost.
    headers: parts.flatMap((part) => part.headers),
    async prepare(log, clock) {
      for (const part of parts) await part.prepare(log, clock)
    },
    keepReady: () => disposeAll(parts.map((part) => part.keepReady?.())),
    notReady,
    admit,
  })
}
