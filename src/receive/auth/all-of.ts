import { wrongOption } from '../../model/errors.ts'
import type { Authenticator } from './authenticator.ts'
import { combineAuthenticators, orderByCost } from './combine-authenticators.ts'

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
  const notReady = () => all.map((one) => one.notReady?.()).find((reason) => reason !== undefined)
  return combineAuthenticators('allOf', all, notReady, async (request) => {
    const digests = []
    for (const one of all) {
      const verdict = await one.admit(request)
      if (!verdict.admitted) return verdict
      digests.push(...verdict.digests)
    }
    return { admitted: true, digests }
  })
}
