// Compiled, never run: holds our shapes to those of FusionAuth's own client, field by field, both ways.
import type * as client from '@fusionauth/typescript-client'
import type { EventMap, EventType } from '../../src/events/types.ts'

/** The client's name for each of our events. */
interface ClientEvents {
  'audit-log.create': client.AuditLogCreateEvent
  'event-log.create': client.EventLogCreateEvent
  'kickstart.success': client.KickstartSuccessEvent
  test: client.TestEvent
  'jwt.public-key.update': client.JWTPublicKeyUpdateEvent
  'jwt.refresh': client.JWTRefreshEvent
  'jwt.refresh-token.revoke': client.JWTRefreshTokenRevokeEvent
  'group.create': client.GroupCreateEvent
  'group.create.complete': client.GroupCreateCompleteEvent
  'group.delete': client.GroupDeleteEvent
  'group.delete.complete': client.GroupDeleteCompleteEvent
  'group.update': client.GroupUpdateEvent
  'group.update.complete': client.GroupUpdateCompleteEvent
  'group.member.add': client.GroupMemberAddEvent
  'group.member.add.complete': client.GroupMemberAddCompleteEvent
  'group.member.remove': client.GroupMemberRemoveEvent
  'group.member.remove.complete': client.GroupMemberRemoveCompleteEvent
  'group.member.update': client.GroupMemberUpdateEvent
  'group.member.update.complete': client.GroupMemberUpdateCompleteEvent
  'user.create': client.UserCreateEvent
  'user.create.complete': client.UserCreateCompleteEvent
  'user.update': client.UserUpdateEvent
  'user.update.complete': client.UserUpdateCompleteEvent
  'user.deactivate': client.UserDeactivateEvent
  'user.reactivate': client.UserReactivateEvent
  'user.delete': client.UserDeleteEvent
  'user.delete.complete': client.UserDeleteCompleteEvent
  'user.bulk.create': client.UserBulkCreateEvent
  'user.action': client.UserActionEvent
  'user.registration.create': client.UserRegistrationCreateEvent
  'user.registration.create.complete': client.UserRegistrationCreateCompleteEvent
  'user.registration.update': client.UserRegistrationUpdateEvent
  'user.registration.update.complete': client.UserRegistrationUpdateCompleteEvent
  'user.registration.delete': client.UserRegistrationDeleteEvent
  'user.registration.delete.complete': client.UserRegistrationDeleteCompleteEvent
  'user.registration.verified': client.UserRegistrationVerifiedEvent
  'user.email.update': client.UserEmailUpdateEvent
  'user.email.verified': client.UserEmailVerifiedEvent
  'user.identity.verified': client.UserIdentityVerifiedEvent
  'user.identity.update': client.UserIdentityUpdateEvent
  'user.identity-provider.link': client.UserIdentityProviderLinkEvent
  'user.identity-provider.unlink': client.UserIdentityProviderUnlinkEvent
  'user.loginId.duplicate.create': client.UserLoginIdDuplicateOnCreateEvent
  'user.loginId.duplicate.update': client.UserLoginIdDuplicateOnUpdateEvent
  'user.login.success': client.UserLoginSuccessEvent
  'user.login.failed': client.UserLoginFailedEvent
  'user.login.new-device': client.UserLoginNewDeviceEvent
  'user.login.suspicious': client.UserLoginSuspiciousEvent
  'user.two-factor.challenge': client.UserTwoFactorChallengeEvent
  'user.two-factor.success': client.UserTwoFactorSuccessEvent
  'user.two-factor.failed-attempt': client.UserTwoFactorFailedAttemptEvent
  'user.two-factor.method.add': client.UserTwoFactorMethodAddEvent
  'user.two-factor.method.remove': client.UserTwoFactorMethodRemoveEvent
  'user.password.breach': client.UserPasswordBreachEvent
  'user.password.reset.start': client.UserPasswordResetStartEvent
  'user.password.reset.send': client.UserPasswordResetSendEvent
  'user.password.reset.success': client.UserPasswordResetSuccessEvent
  'user.password.update': client.UserPasswordUpdateEvent
  'entity.create': client.EntityCreateEvent
  'entity.create.complete': client.EntityCreateCompleteEvent
  'entity.update': client.EntityUpdateEvent
  'entity.update.complete': client.EntityUpdateCompleteEvent
  'entity.delete': client.EntityDeleteEvent
  'entity.delete.complete': client.EntityDeleteCompleteEvent
}

/**
 * The paths at which two types differ. Optional and readonly count for nothing; an enum counts as the strings it stands for; where the
 * client says only `string` or `any`, ours may say more.
 */
type Differences<Ours, Theirs, Path extends string> = 0 extends 1 & Theirs
  ? never
  : [Ours, Theirs] extends [readonly (infer O)[], readonly (infer T)[]]
    ? Differences<O, T, `${Path}[]`>
    : [Ours, Theirs] extends [object, object]
      ? {
          [K in (keyof Ours | keyof Theirs) & string]: K extends keyof Ours & keyof Theirs
            ? Differences<Exclude<Ours[K], undefined>, Exclude<Theirs[K], undefined>, Below<Path, K>>
            : `${Below<Path, K>} is ${K extends keyof Ours ? 'ours' : 'theirs'} alone`
        }[(keyof Ours | keyof Theirs) & string]
      : Alike<Ours, Theirs> extends true
        ? never
        : Path

type Below<Path extends string, Key extends string> = Path extends '' ? Key : `${Path}.${Key}`

type Alike<Ours, Theirs> = [Theirs] extends [string]
  ? string extends Theirs
    ? Extends<Ours, string>
    : Equal<Ours, `${Theirs}`>
  : Equal<Ours, Theirs>

type Extends<A, B> = [A] extends [B] ? true : false

type Equal<A, B> = [A, B] extends [B, A] ? true : false

type Found = {
  [T in EventType]: `${T}: ${Differences<Omit<EventMap[T], 'type'>, Omit<ClientEvents[T], 'type'>, ''>}`
}[EventType]

/** Where FusionAuth's server says otherwise than its client, or where we mean to differ. */
interface Known {
  /** The server sends it since 1.53.0; the client never got it. */
  linkedObjectId: `${EventType}: linkedObjectId is ours alone`
  /** An object in the client, a plain string on the wire. */
  identityType: `${EventType}: ${'user' | 'users[]' | 'original' | 'existing'}.identities[].type`
  /** "Never" is 2^63 - 1, which a JavaScript number cannot hold: it comes as a string. */
  expiry: 'user.action: expiry'
  /** Left open on purpose: FusionAuth adds threats. */
  threats: 'user.login.suspicious: threatsDetected[]'
}

type None<T extends never> = T

/** An error here names the fields that neither agree nor are explained above. */
export type Unexplained = None<Exclude<Found, Known[keyof Known]>>

/** An error here names an explanation that explains nothing any more. */
export type Obsolete = None<
  { [K in keyof Known]: [Extract<Found, Known[K]>] extends [never] ? K : never }[keyof Known]
>

/** An error here names a type that one of the two does not list. */
export type UnknownToClient = None<Exclude<EventType, `${client.EventType}`>>
export type UnknownToUs = None<Exclude<`${client.EventType}`, EventType>>
