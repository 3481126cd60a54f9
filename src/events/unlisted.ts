import type { Unlisted } from './types.ts'

/**
 * Names an event type that FusionAuth sends and this version of the package does not list, for `on`. Its events are kept like any other;
 * their fields are `unknown`.
 *
 * @param type The type as FusionAuth writes it.
 * @example
 * webhook.on(unlisted('user.passkey.create'), { name: 'passkeys', when: 'received' }, ({ event }) => {
 *   audit.write(event.id, event['user'])
 * })
 */
export function unlisted(type: string): Unlisted {
  // Unlisted is a phantom: no value has that type, so nothing can be read from it that a string would not have.
  return type as Unlisted
}
