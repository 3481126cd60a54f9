import type { EventHeader, EventMap, EventType } from '../../src/events/types.ts'

/** The paths at which a type leaves nothing optional. */
type RequiredPath<T, Path extends string = ''> = T extends readonly (infer Element)[]
  ? RequiredPath<Element, `${Path}[].`>
  : T extends object
    ? {
        [K in keyof T & string]-?: object extends Pick<T, K>
          ? never
          : | `${Path}${K}`
            | RequiredPath<T[K], T[K] extends readonly unknown[] ? `${Path}${K}` : `${Path}${K}.`>
      }[keyof T & string]
    : never

type RequiredOf<T extends EventType> = {
  [One in T]: RequiredPath<Omit<EventMap[One], keyof EventHeader<One>>>
}[T]

type Exactly<T extends EventType> = Readonly<Record<RequiredOf<T>, true>> & {
  readonly [Path in Exclude<RequiredOf<EventType>, RequiredOf<T>>]?: never
}

const nothing = {}
const user = { user: true, 'user.id': true } as const
const group = { group: true, 'group.id': true } as const
const entity = { entity: true, 'entity.id': true } as const
const entityUpdate = { ...entity, original: true, 'original.id': true } as const

/** What the types say is never missing, spelled out for the run time; the compiler takes no row that says more or less. */
export const required: { readonly [T in EventType]: Exactly<T> } = {
  'audit-log.create': nothing,
  'event-log.create': nothing,
  'kickstart.success': nothing,
  test: nothing,
  'jwt.public-key.update': nothing,
  'jwt.refresh': nothing,
  'jwt.refresh-token.revoke': nothing,
  'group.create': group,
  'group.create.complete': group,
  'group.delete': group,
  'group.delete.complete': group,
  'group.update': group,
  'group.update.complete': group,
  'group.member.add': group,
  'group.member.add.complete': group,
  'group.member.remove': group,
  'group.member.remove.complete': group,
  'group.member.update': group,
  'group.member.update.complete': group,
  'user.create': user,
  'user.create.complete': user,
  'user.update': user,
  'user.update.complete': user,
  'user.deactivate': user,
  'user.reactivate': user,
  'user.delete': user,
  'user.delete.complete': user,
  'user.bulk.create': { users: true, 'users[].id': true },
  'user.action': nothing,
  'user.registration.create': user,
  'user.registration.create.complete': user,
  'user.registration.update': user,
  'user.registration.update.complete': user,
  'user.registration.delete': user,
  'user.registration.delete.complete': user,
  'user.registration.verified': user,
  'user.email.update': user,
  'user.email.verified': user,
  'user.identity.verified': nothing,
  'user.identity.update': nothing,
  'user.identity-provider.link': user,
  'user.identity-provider.unlink': user,
  'user.loginId.duplicate.create': user,
  'user.loginId.duplicate.update': user,
  'user.login.success': user,
  'user.login.failed': user,
  'user.login.new-device': user,
  'user.login.suspicious': user,
  'user.two-factor.challenge': user,
  'user.two-factor.success': user,
  'user.two-factor.failed-attempt': user,
  'user.two-factor.method.add': user,
  'user.two-factor.method.remove': user,
  'user.password.breach': user,
  'user.password.reset.start': user,
  'user.password.reset.send': user,
  'user.password.reset.success': user,
  'user.password.update': user,
  'entity.create': entity,
  'entity.create.complete': entity,
  'entity.update': entityUpdate,
  'entity.update.complete': entityUpdate,
  'entity.delete': entity,
  'entity.delete.complete': entity,
}
