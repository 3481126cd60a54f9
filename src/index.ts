export { unlisted } from './events/unlisted.ts'
export { Denied, FusewireError, Permanent, RetryLater } from './model/errors.ts'
export { apiKey } from './receive/auth/api-key.ts'
export { basicAuth } from './receive/auth/basic-auth.ts'
export { check } from './receive/auth/check.ts'
export { allOf, anyOf } from './receive/auth/combine.ts'
export { signature } from './receive/auth/signature.ts'
export { Webhook } from './webhook/webhook.ts'

export type { Entity, EventInfo, Group, GroupMember, User, UserRegistration } from './events/objects.ts'
export type {
  EventMap,
  EventOf,
  EventType,
  FusionAuthEvent,
  TransactionalType,
  Unlisted,
  UnlistedEvent,
} from './events/types.ts'
export type {
  GateContext,
  GateOptions,
  Handler,
  HandlerContext,
  OnOptions,
  Types,
} from './webhook/handlers.ts'
export type { EraseOptions } from './inbox/erase-person.ts'
export type {
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
export type { OneOrMore } from './lib/one-or-more.ts'
export type { Drained } from './model/delivery.ts'
export type { Engine } from './model/engine.ts'
export type { Person } from './model/erasure.ts'
export type { Filter, State } from './model/filter.ts'
export type { Kept, KeptDelivery } from './model/kept.ts'
export type { ErrorCode } from './model/errors.ts'
export type { Log } from './model/log.ts'
export type { Receipt } from './model/receipt.ts'
export type { Retention } from './model/retention.ts'
export type { Node, Overview } from './model/stats.ts'
export type { Page } from './model/tending.ts'
export type { Authenticator } from './receive/auth/authenticator.ts'
export type { Caller } from './receive/auth/check.ts'
export type { Secret } from './receive/auth/secret.ts'
export type { Keys } from './receive/auth/signature.ts'
export type { WebhookOptions } from './webhook/options.ts'
export type { Receiver } from './webhook/webhook.ts'
