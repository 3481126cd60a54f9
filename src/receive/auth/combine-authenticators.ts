import { disposeAll } from '../../lib/dispose-all.ts'
import { wrongOption } from '../../model/errors.ts'
import {
  type Authenticator,
  type Cost,
  rejected,
  createAuthenticator,
  type Verdict,
} from './authenticator.ts'
import type { IncomingRequest } from '../../model/incoming-request.ts'

/**
 * Lets in requests that every one of them lets in. Cheap ones are asked first, and the first no ends it.
 *
 * @throws FW_OPTION for fewer than two, and when two read the same `Authorization` header.
 * @example
 * const authenticate = allOf(
 *   apiKey(() => process.env.WEBHOOK_KEY),
 *   signature({ jwks: 'https://auth.example.com/.well-known/jwks.json', kid: '_H07wVG1fV3l5ih74rNxIC3nevE' }),
 * )
 */
export function allOf(a: Authenticator, b: Authenticator, ...more: readonly Authenticator[]): Authenticator {
  const all = orderByCost('allOf', [a, b, ...more])
  const onAuthorization = all.filter(({ headers }) => headers.includes('authorization'))
  if (onAuthorization.some(({ name }) => name === 'basicAuth') && onAuthorization.length > 1) {
    throw wrongOption(
      'authenticators',
      'allOf asks basicAuth and apiKey for the same Authorization header, which holds one of them. Give apiKey { header: "x-…" }.',
    )
  }
  const notReady = () => firstDefined(all.map((one) => one.notReady?.()))
  return combineAuthenticators('allOf', all, notReady, async (incoming) => {
    const digests = []
    for (const one of all) {
      const verdict = await one.admit(incoming)
      if (!verdict.admitted) return verdict
      digests.push(...verdict.digests)
    }
    return { admitted: true, digests }
  })
}

/**
 * Lets in requests that at least one of them lets in. Cheap ones are asked first, and the first yes ends it.
 *
 * @throws FW_OPTION for fewer than two.
 * @example
 * const authenticate = anyOf(
 *   apiKey(() => process.env.WEBHOOK_KEY),
 *   basicAuth({ username: 'fusionauth', password: () => process.env.WEBHOOK_PASSWORD }),
 * )
 */
export function anyOf(a: Authenticator, b: Authenticator, ...more: readonly Authenticator[]): Authenticator {
  const any = orderByCost('anyOf', [a, b, ...more])
  const notReady = () => {
    const reasons = any.map((one) => one.notReady?.())
    return reasons.includes(undefined) ? undefined : reasons.join('; ')
  }
  return combineAuthenticators('anyOf', any, notReady, async (incoming) => {
    const reasons = []
    let retry = false
    for (const one of any) {
      const verdict = await one.admit(incoming)
      if (verdict.admitted) return verdict
      reasons.push(verdict.reason)
      retry ||= verdict.retry === true
    }
    const reason = reasons.join('; ')
    return retry ? { admitted: false, reason, retry } : rejected(reason)
  })
}

function orderByCost(name: string, all: readonly Authenticator[]): readonly Authenticator[] {
  if (all.length < 2 || all.some((one) => one?.admit === undefined)) {
    throw wrongOption(
      'authenticators',
      `${name} takes two or more authenticators: apiKey, basicAuth, signature, check.`,
    )
  }
  return all.toSorted((a, b) => a.cost - b.cost)
}

function combineAuthenticators(
  name: string,
  parts: readonly Authenticator[],
  notReady: () => string | undefined,
  admit: (incoming: IncomingRequest) => Promise<Verdict>,
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

function firstDefined<T>(values: readonly (T | undefined)[]): T | undefined {
  return values.find((value) => value !== undefined)
}
