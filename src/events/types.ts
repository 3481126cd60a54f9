import type {
  AuditLog,
  AuthenticationThreat,
  Email,
  Entity,
  EventInfo,
  EventLog,
  Group,
  GroupMember,
  IdentityInfo,
  IdentityProviderLink,
  LoginFailedReason,
  LoginIdType,
  RefreshToken,
  TwoFactorMethod,
  User,
  UserRegistration,
} from './objects.ts'

/** What every event has, whatever its type. */
export interface EventHeader<T extends string> {
  readonly type: T
  /** Alike in every attempt and for every receiver. An event that came without one has the SHA-256 of its body here. */
  readonly id: string
  /** When it happened in FusionAuth, epoch ms; 0 when the event did not say. */
  readonly createInstant: number
  /** Missing where an event belongs to the whole instance. */
  readonly tenantId?: string
  /** The id of the one object the event is about. Since FusionAuth 1.53.0. */
  readonly linkedObjectId?: string
  /** Where the request that caused the event came from. Since FusionAuth 1.30.0. */
  readonly info?: EventInfo
}

/** `audit-log.create`: something was written to the audit log. */
export interface AuditLogEvent<T extends string> extends EventHeader<T> {
  readonly auditLog?: AuditLog
}

/** `event-log.create`: FusionAuth logged a diagnostic message. */
export interface EventLogEvent<T extends string> extends EventHeader<T> {
  readonly eventLog?: EventLog
}

/** `kickstart.success`: a kickstart file ran to its end. `instanceId` names the FusionAuth instance. */
export interface KickstartEvent<T extends string> extends EventHeader<T> {
  readonly instanceId?: string
}

/** `test`: somebody pressed the test button of FusionAuth's Kafka integration. */
export interface TestEvent<T extends string> extends EventHeader<T> {
  readonly message?: string
}

/** `jwt.public-key.update`: the key that signs the tokens of these applications may change. */
export interface PublicKeyEvent<T extends string> extends EventHeader<T> {
  readonly applicationIds?: readonly string[]
}

/** `jwt.refresh`: a refresh token is traded for a new access token. Every token here is live: whoever reads the event could sign in with it. */
export interface JwtRefreshEvent<T extends string> extends EventHeader<T> {
  readonly applicationId?: string
  /** The access token the request came with, when it came with one. */
  readonly original?: string
  readonly refreshToken?: string
  readonly token?: string
  readonly userId?: string
}

/**
 * `jwt.refresh-token.revoke`: refresh tokens were revoked. The fields that are present say which. One token: `applicationId`,
 * `refreshToken` and `user`. All of a user: `user` without `applicationId`. All of an application: `applicationId` alone.
 */
export interface RefreshTokenRevokeEvent<T extends string> extends EventHeader<T> {
  readonly applicationId?: string
  /** Seconds by application id: `createInstant` plus these is when the last access token given out for a revoked one is dead. */
  readonly applicationTimeToLiveInSeconds?: Readonly<Record<string, number>>
  readonly refreshToken?: RefreshToken
  readonly user?: User
  readonly userId?: string
}

/** `group.create` and `group.delete`, and their `.complete`: a group was made or deleted. */
export interface GroupEvent<T extends string> extends EventHeader<T> {
  readonly group: Group
}

/** `group.update` and its `.complete`: a group was changed; `group` is its new state. */
export interface GroupUpdateEvent<T extends string> extends GroupEvent<T> {
  /** The group as it was. */
  readonly original?: Group
}

/** `group.member.add`, `.remove` and `.update`, and their `.complete`: the members of a group have changed. */
export interface GroupMemberEvent<T extends string> extends GroupEvent<T> {
  /** Those added, those removed, or, for an update, all there are now. */
  readonly members?: readonly GroupMember[]
}

/** `entity.create` and `entity.delete`, and their `.complete`: an entity was made or deleted. */
export interface EntityEvent<T extends string> extends EventHeader<T> {
  readonly entity: Entity
}

/** `entity.update` and its `.complete`: an entity was changed; `entity` is its new state. */
export interface EntityUpdateEvent<T extends string> extends EntityEvent<T> {
  /** The entity as it was. */
  readonly original: Entity
}

/** `user.action`: a moderator's action on a user, such as a suspension, began, changed or ended. */
export interface UserActionEvent<T extends string> extends EventHeader<T> {
  readonly action?: string
  /** Who the action was taken on. */
  readonly actioneeUserId?: string
  /** Who took it. */
  readonly actionerUserId?: string
  readonly actionId?: string
  readonly applicationIds?: readonly string[]
  readonly comment?: string
  readonly email?: Email
  readonly emailedUser?: boolean
  /** When the action ends, epoch ms. The string stands for "never": the number is too large for JavaScript. */
  readonly expiry?: number | '9223372036854775807'
  readonly localizedAction?: string
  readonly localizedDuration?: string
  readonly localizedOption?: string
  readonly localizedReason?: string
  readonly notifyUser?: boolean
  readonly option?: string
  readonly phase?: 'start' | 'modify' | 'cancel' | 'end'
  readonly reason?: string
  readonly reasonCode?: string
}

/** `user.bulk.create`: users were imported. One event holds all users of one request. */
export interface UserBulkCreateEvent<T extends string> extends EventHeader<T> {
  readonly users: readonly User[]
}

/**
 * An event about one user: `user.create`, `user.delete`, `user.deactivate`, `user.password.…` and others. Of a deleted user it holds the
 * last state.
 */
export interface UserEvent<T extends string> extends EventHeader<T> {
  readonly user: User
}

/** `user.update` and its `.complete`: a user was changed; `user` is the new state. */
export interface UserUpdateEvent<T extends string> extends UserEvent<T> {
  /** The user as it was. */
  readonly original?: User
}

/** `user.email.update`: a user has another email address; `user` has the new one. */
export interface EmailUpdateEvent<T extends string> extends UserEvent<T> {
  readonly previousEmail?: string
}

/** `user.identity-provider.link` and `.unlink`: a user was linked to an account at an identity provider, or the link was removed. */
export interface IdentityProviderLinkEvent<T extends string> extends UserEvent<T> {
  readonly identityProviderLink?: IdentityProviderLink
}

/** `user.identity.verified`: somebody proved to own an email address or a phone number. */
export interface IdentityVerifiedEvent<T extends string> extends EventHeader<T> {
  readonly loginId?: string
  readonly loginIdType?: LoginIdType
  /** Missing when an identity is verified before its user exists. */
  readonly user?: User
}

/** `user.identity.update`: a name that a user signs in with was changed. */
export interface IdentityUpdateEvent<T extends string> extends EventHeader<T> {
  readonly loginIdType?: LoginIdType
  readonly newLoginId?: string
  readonly previousLoginId?: string
  readonly user?: User
}

/** `user.loginId.duplicate.create` and `.update`: FusionAuth refused a user because another has the same login id. */
export interface DuplicateLoginIdEvent<T extends string> extends UserEvent<T> {
  /** The user FusionAuth refused; the login id's owner is `existing`. */
  readonly user: User
  readonly duplicateEmail?: string
  /** Since FusionAuth 1.59.0. */
  readonly duplicateIdentities?: readonly IdentityInfo[]
  /** Since FusionAuth 1.59.0. */
  readonly duplicatePhoneNumber?: string
  readonly duplicateUsername?: string
  readonly existing?: User
}

/** `user.login.failed`: a user that exists could not sign in. */
export interface LoginFailedEvent<T extends string> extends UserEvent<T> {
  readonly applicationId?: string
  readonly authenticationType?: string
  /** @deprecated FusionAuth moved it to `info.ipAddress` in 1.30.0 and still fills both. */
  readonly ipAddress?: string
  /** Since FusionAuth 1.53.0. */
  readonly reason?: LoginFailedReason
}

/** `user.login.success` and `user.login.new-device`: a user signed in. */
export interface LoginEvent<T extends string> extends UserEvent<T> {
  /** Missing when the sign-in named no application, or the user has no registration for it. */
  readonly applicationId?: string
  readonly authenticationType?: string
  readonly connectorId?: string
  readonly identityProviderId?: string
  readonly identityProviderName?: string
  /** @deprecated FusionAuth moved it to `info.ipAddress` in 1.30.0 and still fills both. */
  readonly ipAddress?: string
}

/** `user.login.suspicious`: a user signed in, and `threatsDetected` says what FusionAuth found unusual about it. */
export interface SuspiciousLoginEvent<T extends string> extends LoginEvent<T> {
  readonly threatsDetected?: readonly AuthenticationThreat[]
}

/** `user.two-factor.challenge`: a sign-in asks for a second factor. */
export interface TwoFactorChallengeEvent<T extends string> extends UserEvent<T> {
  readonly applicationId?: string
  readonly clientRisk?: 'LOW' | 'MEDIUM' | 'HIGH'
}

/** `user.two-factor.success` and `.failed-attempt`: a second factor was given, right or wrong. */
export interface TwoFactorEvent<T extends string> extends TwoFactorChallengeEvent<T> {
  readonly messageType?: 'SMS' | 'Voice'
  readonly method?: 'authenticator' | 'email' | 'recoveryCode' | 'sms'
}

/** `user.two-factor.method.add` and `.remove`: a user has one second factor more or less. */
export interface TwoFactorMethodEvent<T extends string> extends UserEvent<T> {
  readonly method?: TwoFactorMethod
}

/** `user.registration.create`, `.delete` and `.verified`: a user's registration for an application was made, deleted or verified. */
export interface RegistrationEvent<T extends string> extends UserEvent<T> {
  readonly applicationId?: string
  readonly registration?: UserRegistration
}

/** `user.registration.update` and its `.complete`: a registration was changed; `registration` is its new state. */
export interface RegistrationUpdateEvent<T extends string> extends RegistrationEvent<T> {
  /** The registration as it was. */
  readonly original?: UserRegistration
}

/** Every type FusionAuth 1.69 knows, by the name it has on the wire. */
export interface EventMap {
  'audit-log.create': AuditLogEvent<'audit-log.create'>
  'event-log.create': EventLogEvent<'event-log.create'>
  'kickstart.success': KickstartEvent<'kickstart.success'>
  'jwt.public-key.update': PublicKeyEvent<'jwt.public-key.update'>
  'jwt.refresh': JwtRefreshEvent<'jwt.refresh'>
  'jwt.refresh-token.revoke': RefreshTokenRevokeEvent<'jwt.refresh-token.revoke'>
  'group.create': GroupEvent<'group.create'>
  'group.create.complete': GroupEvent<'group.create.complete'>
  'group.delete': GroupEvent<'group.delete'>
  'group.delete.complete': GroupEvent<'group.delete.complete'>
  'group.update': GroupUpdateEvent<'group.update'>
  'group.update.complete': GroupUpdateEvent<'group.update.complete'>
  'group.member.add': GroupMemberEvent<'group.member.add'>
  'group.member.add.complete': GroupMemberEvent<'group.member.add.complete'>
  'group.member.remove': GroupMemberEvent<'group.member.remove'>
  'group.member.remove.complete': GroupMemberEvent<'group.member.remove.complete'>
  'group.member.update': GroupMemberEvent<'group.member.update'>
  'group.member.update.complete': GroupMemberEvent<'group.member.update.complete'>
  'user.action': UserActionEvent<'user.action'>
  'user.bulk.create': UserBulkCreateEvent<'user.bulk.create'>
  'user.create': UserEvent<'user.create'>
  'user.create.complete': UserEvent<'user.create.complete'>
  'user.deactivate': UserEvent<'user.deactivate'>
  'user.delete': UserEvent<'user.delete'>
  'user.delete.complete': UserEvent<'user.delete.complete'>
  'user.email.update': EmailUpdateEvent<'user.email.update'>
  'user.email.verified': UserEvent<'user.email.verified'>
  'user.identity-provider.link': IdentityProviderLinkEvent<'user.identity-provider.link'>
  'user.identity-provider.unlink': IdentityProviderLinkEvent<'user.identity-provider.unlink'>
  'user.identity.update': IdentityUpdateEvent<'user.identity.update'>
  'user.identity.verified': IdentityVerifiedEvent<'user.identity.verified'>
  'user.loginId.duplicate.create': DuplicateLoginIdEvent<'user.loginId.duplicate.create'>
  'user.loginId.duplicate.update': DuplicateLoginIdEvent<'user.loginId.duplicate.update'>
  'user.login.failed': LoginFailedEvent<'user.login.failed'>
  'user.login.new-device': LoginEvent<'user.login.new-device'>
  'user.login.success': LoginEvent<'user.login.success'>
  'user.login.suspicious': SuspiciousLoginEvent<'user.login.suspicious'>
  'user.password.breach': UserEvent<'user.password.breach'>
  'user.password.reset.send': UserEvent<'user.password.reset.send'>
  'user.password.reset.start': UserEvent<'user.password.reset.start'>
  'user.password.reset.success': UserEvent<'user.password.reset.success'>
  'user.password.update': UserEvent<'user.password.update'>
  'user.reactivate': UserEvent<'user.reactivate'>
  'user.registration.create': RegistrationEvent<'user.registration.create'>
  'user.registration.create.complete': RegistrationEvent<'user.registration.create.complete'>
  'user.registration.delete': RegistrationEvent<'user.registration.delete'>
  'user.registration.delete.complete': RegistrationEvent<'user.registration.delete.complete'>
  'user.registration.update': RegistrationUpdateEvent<'user.registration.update'>
  'user.registration.update.complete': RegistrationUpdateEvent<'user.registration.update.complete'>
  'user.registration.verified': RegistrationEvent<'user.registration.verified'>
  'user.two-factor.challenge': TwoFactorChallengeEvent<'user.two-factor.challenge'>
  'user.two-factor.failed-attempt': TwoFactorEvent<'user.two-factor.failed-attempt'>
  'user.two-factor.success': TwoFactorEvent<'user.two-factor.success'>
  'user.two-factor.method.add': TwoFactorMethodEvent<'user.two-factor.method.add'>
  'user.two-factor.method.remove': TwoFactorMethodEvent<'user.two-factor.method.remove'>
  'user.update': UserUpdateEvent<'user.update'>
  'user.update.complete': UserUpdateEvent<'user.update.complete'>
  'entity.create': EntityEvent<'entity.create'>
  'entity.create.complete': EntityEvent<'entity.create.complete'>
  'entity.delete': EntityEvent<'entity.delete'>
  'entity.delete.complete': EntityEvent<'entity.delete.complete'>
  'entity.update': EntityUpdateEvent<'entity.update'>
  'entity.update.complete': EntityUpdateEvent<'entity.update.complete'>
  test: TestEvent<'test'>
}

/** The name of an event type, as FusionAuth 1.69 sends it: `user.create`. */
export type EventType = keyof EventMap

/** Sent inside FusionAuth's transaction, before it commits: these can be refused, and can still be rolled back after you saw them. */
export type TransactionalType =
  | 'jwt.public-key.update'
  | 'jwt.refresh'
  | 'jwt.refresh-token.revoke'
  | 'group.create'
  | 'group.delete'
  | 'group.update'
  | 'group.member.add'
  | 'group.member.remove'
  | 'group.member.update'
  | 'user.action'
  | 'user.bulk.create'
  | 'user.create'
  | 'user.deactivate'
  | 'user.delete'
  | 'user.email.verified'
  | 'user.identity.update'
  | 'user.identity.verified'
  | 'user.login.failed'
  | 'user.login.new-device'
  | 'user.login.success'
  | 'user.login.suspicious'
  | 'user.password.breach'
  | 'user.reactivate'
  | 'user.registration.create'
  | 'user.registration.delete'
  | 'user.registration.update'
  | 'user.registration.verified'
  | 'user.update'
  | 'entity.create'
  | 'entity.delete'
  | 'entity.update'

/** Sent once a transaction has committed. */
export type CompleteType = Extract<EventType, `${TransactionalType}.complete`>

/** A phantom: never the value at run time, so that a `switch` over the listed types still narrows. Made by `unlisted()`. */
export type Unlisted = '(a type newer than this fusewire)'

/** An event of a type this version has no shape for. */
export interface UnlistedEvent extends EventHeader<Unlisted> {
  readonly [field: string]: unknown
}

/** Any event of a type that this version lists. A `switch` over `type` narrows it. */
export type FusionAuthEvent = EventMap[EventType]

/** The event of a type, or of any of several; `'*'` is whatever may come. */
export type EventOf<T extends EventType | Unlisted | '*'> = T extends '*'
  ? FusionAuthEvent | UnlistedEvent
  : T extends EventType
    ? EventMap[T]
    : UnlistedEvent
