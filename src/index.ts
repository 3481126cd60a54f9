export { unlisted } from './events/unlisted.ts'
export { Denied, FusewireError, Permanent, RetryLater } from './model/errors.ts'
export { apiKey } from './receive/api-key.ts'
export { basicAuth } from './receive/basic-auth.ts'
export { check } from './receive/check.ts'
export { allOf, anyOf } from './receive/combine.ts'
export { signature } from './receive/signature.ts'
export { Webhook } from './webhook.ts'

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
export type { GateContext, GateOptions, Handler, HandlerContext, OnOptions, Types } from './handlers.ts'
export type { EraseOptions } from './erase.ts'
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
} from './inbox.ts'
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
export type { Authenticator } from './receive/authenticator.ts'
export type { Caller } from './receive/check.ts'
export type { Secret } from './receive/secret.ts'
export type { Keys } from './receive/signature.ts'
export type { WebhookOptions } from './options.ts'
export type { Receiver } from './webhook.ts'
