// Compiled, never run: what the types tell those who read an event.
import type { CompleteType, EventOf, EventType, TransactionalType, Unlisted } from '../../src/events/types.ts'
import { unlisted } from '../../src/events/unlisted.ts'

export function narrow(event: EventOf<'*'>): unknown {
  switch (event.type) {
    case 'user.create':
      return event.user.id satisfies string
    case 'group.update':
      return event.original?.name satisfies string | undefined
    case 'user.identity.verified':
      // @ts-expect-error an identity may be verified before there is a user
      return event.user.id
    default:
      return event.type satisfies string
  }
}

export function either(event: EventOf<'user.create' | 'group.create'>): string {
  return event.type === 'user.create' ? event.user.id : event.group.id
}

export function newer(event: EventOf<Unlisted>): unknown {
  event.id satisfies string
  return event['passkey'] satisfies unknown
}

unlisted('user.passkey.create') satisfies Unlisted
// @ts-expect-error only unlisted() makes one
'user.passkey.create' satisfies Unlisted

export function constant(event: EventOf<'user.delete'>): void {
  // @ts-expect-error what happened does not change
  event.user.email = 'somebody@example.com'
}

type None<T extends never> = T

/** An error here names a type that is sent both inside the transaction and after it. */
export type Both = None<TransactionalType & CompleteType>

/** An error here names a .complete type whose beginning is not transactional. */
export type Orphan = None<Exclude<Extract<EventType, `${string}.complete`>, CompleteType>>
