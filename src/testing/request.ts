import type { EventMap, EventType } from '../events/types.ts'
import { sign, signatureHeader, type SigningKey } from '../events/sign.ts'
import type { Overrides } from '../events/samples/overrides.ts'
import { sample } from './sample.ts'

export interface RequestOptions {
  /** Sent as `Authorization`. */
  apiKey?: string
  headers?: Record<string, string>
  /** Signs the body as FusionAuth would with this key. */
  sign?: SigningKey
  /** Default: `http://localhost/fusionauth-webhook`. */
  url?: string
}

/**
 * The request FusionAuth would send for a sample event.
 *
 * @example
 * const response = await webhook.fetch(request('user.delete', { user: { id: 'ada' } }, { apiKey: 'my key' }))
 */
export function request<const T extends EventType>(
  type: T,
  overrides?: Overrides<Omit<EventMap[T], 'type'>>,
  options: RequestOptions = {},
): Request {
  const body = JSON.stringify({ event: sample(type, overrides) })
  return new Request(options.url ?? 'http://localhost/fusionauth-webhook', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(options.apiKey !== undefined && { authorization: options.apiKey }),
      ...(options.sign !== undefined && { [signatureHeader]: sign(body, options.sign) }),
      ...options.headers,
    },
    body,
  })
}
