import type { EventMap, EventType } from '../events/types.ts'
import { sign, signatureHeader, type SigningKey } from '../events/sign.ts'
import type { Overrides } from '../events/samples/overrides.ts'
import { sample } from './sample.ts'

/** What the request carries besides the event. */
export interface RequestOptions {
  /** Sent as `Authorization`. Default: no such header. */
  apiKey?: string
  /** Further headers. */
  headers?: Record<string, string>
  /** Signs the body as FusionAuth would with this key. Default: not signed. */
  sign?: SigningKey
  /** Default: `http://localhost/fusionauth-webhook`. */
  url?: string
}

/**
 * The request FusionAuth would send for a sample event.
 *
 * @param overrides Values to put into the sample: objects are merged, arrays replaced.
 * @example
 * const response = await webhook.fetch(request('user.create', { user: { email: 'ada@example.com' } }, { apiKey: 'wrong' }))
 * if (response.status !== 401) throw new Error('a wrong key was let in')
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
