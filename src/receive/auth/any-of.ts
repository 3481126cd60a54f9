import { type Authenticator, rejected } from './authenticator.ts'
import { combineAuthenticators, orderByCost } from './combine-authenticators.ts'

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
  return combineAuthenticators('anyOf', any, notReady, async (request) => {
    const reasons = []
    let retry = false
    for (const one of any) {
      const verdict = await one.admit(request)
      if (verdict.admitted) return verdict
      reasons.push(verdict.reason)
      retry ||= verdict.retry === true
    }
    const reason = reasons.join('; ')
    return retry ? { admitted: false, reason, retry } : rejected(reason)
  })
}
