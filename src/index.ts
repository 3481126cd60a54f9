/**
 * The webhook, its authenticators and errors, and the types of FusionAuth's events. Needs nothing but what Node, Deno, Bun and Workers share.
 *
 * @module fusewire
 */
export { unlisted } from './events/unlisted.ts'
export { Denied, FusewireError, Permanent, RetryLater } from './model/errors.ts'
export { apiKey } from './receive/auth/api-key.ts'
export { basicAuth } from './receive/auth/basic-auth.ts'
export { check } from './receive/auth/check.ts'
export { allOf } from './receive/auth/all-of.ts'
export { anyOf } from './receive/auth/any-of.ts'
export { signature } from './receive/auth/signature.ts'
export { Webhook } from './webhook/webhook.ts'

export type {
  ApplicationRole,
  Attachment,
  AuditLog,
  AuthenticationThreat,
  AuthenticatorConfiguration,
  BreachedPasswordStatus,
  ChangePasswordReason,
  ContentStatus,
  Data,
  DeviceInfo,
  Email,
  EmailAddress,
  Entity,
  EntityJWTConfiguration,
  EntityType,
  EntityTypePermission,
  EventInfo,
  EventLog,
  FusionAuthError,
  FusionAuthErrors,
  Group,
  GroupMember,
  IdentityInfo,
  IdentityProviderLink,
  IdentityProviderType,
  IdentityVerifiedReason,
  Location,
  LoginFailedReason,
  LoginIdType,
  RefreshToken,
  RefreshTokenMetaData,
  TwoFactorMethod,
  User,
  UserIdentity,
  UserRegistration,
  UserTwoFactorConfiguration,
} from './events/objects.ts'
export type {
  AuditLogEvent,
  DuplicateLoginIdEvent,
  EmailUpdateEvent,
  EntityEvent,
  EntityUpdateEvent,
  EventHeader,
  EventLogEvent,
  EventMap,
  EventOf,
  EventType,
  FusionAuthEvent,
  GroupEvent,
  GroupMemberEvent,
  GroupUpdateEvent,
  IdentityProviderLinkEvent,
  IdentityUpdateEvent,
  IdentityVerifiedEvent,
  JwtRefreshEvent,
  KickstartEvent,
  LoginEvent,
  LoginFailedEvent,
  PublicKeyEvent,
  RefreshTokenRevokeEvent,
  RegistrationEvent,
  RegistrationUpdateEvent,
  SuspiciousLoginEvent,
  TestEvent,
  TransactionalType,
  TwoFactorChallengeEvent,
  TwoFactorEvent,
  TwoFactorMethodEvent,
  Unlisted,
  UnlistedEvent,
  UserActionEvent,
  UserBulkCreateEvent,
  UserEvent,
  UserUpdateEvent,
} from './events/types.ts'
export type {
  AtomicOption,
  ContextOf,
  EventsOf,
  FlatTypes,
  GateContext,
  GateOptions,
  Handler,
  HandlerContext,
  MayOmitOptions,
  NameOption,
  NoBoolean,
  OneType,
  OnOptions,
  ResultOf,
  SharedOnOptions,
  SqlOf,
  Types,
  WhenOption,
} from './webhook/on-options.ts'
export type {
  EraseOptions,
  Erasure,
  FindOptions,
  Inbox,
  KeptEvent,
  LongOptions,
  PageOptions,
  Progress,
  Prune,
  PruneOptions,
  Replay,
  Strangers,
} from './inbox/inbox.ts'
export type { Clock, Uptime } from './lib/clock.ts'
export type { OneOrMore } from './lib/one-or-more.ts'
export type { DeliveryState } from './model/delivery-state.ts'
export type { Drained } from './model/drained.ts'
export type { Failure } from './model/outcome.ts'
export type { Engine } from './model/engine.ts'
export type { Person } from './model/person.ts'
export type { Scrubbed } from './model/erased-step.ts'
export type { EventKey } from './model/event-key.ts'
export type { Source } from './model/arrival.ts'
export type { Filter, State } from './model/filter.ts'
export type { PeerCertificate } from './model/incoming-request.ts'
export type { Aside, Gone, Kept, KeptDelivery } from './model/kept.ts'
export type { ErrorCode } from './model/errors.ts'
export type { Log } from './model/log.ts'
export type { Receipt } from './model/receipt.ts'
export type { Retention } from './model/retention.ts'
export type {
  BlockedLane,
  HandlerOverview,
  HandlerStats,
  Node,
  Overview,
  Stats,
  TypeOverview,
} from './model/stats.ts'
export type { Page } from './model/tending.ts'
export type { Authenticator } from './receive/auth/authenticator.ts'
export type { Caller } from './receive/auth/check.ts'
export type { JwksOptions } from './receive/auth/jwks-options.ts'
export type { Secret } from './receive/auth/secret.ts'
export type { Keys } from './receive/auth/signature.ts'
export type { WebhookOptions } from './webhook/webhook-options.ts'
export type { Receiver } from './webhook/webhook.ts'
