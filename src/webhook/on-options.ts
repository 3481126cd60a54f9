import type { EventOf, EventType, TransactionalType, Unlisted } from '../events/types.ts'
import type { OneOrMore } from '../lib/one-or-more.ts'
import type { Engine } from '../model/engine.ts'

/** What `on` listens to: a type, several, or everything. */
export type Types = OneType | '*' | readonly [OneType, ...OneType[]]
/** One type: listed, or named by `unlisted`. */
export type OneType = EventType | Unlisted

/** What a gate is given. */
export interface GateContext<Event> {
  /** The event, typed by its `type`. What the type promises is there. */
  readonly event: Event
  /** Aborts at the deadline. From then on FusionAuth has given up and rolls back: check it before you commit. */
  readonly signal: AbortSignal
  /** Epoch ms. */
  readonly deadlineAt: number
}

/** How a gate is asked. */
export interface GateOptions {
  /** For logs. Default: the type. */
  name?: string
  /** Shortens the deadline for this gate, in ms. Default: what is left of the webhook's `gateTimeoutMs`. */
  timeoutMs?: number
  /** What an error or a timeout of the gate means; `Denied` always refuses. Default: `refuse`. */
  onFailure?: 'refuse' | 'allow'
}

/** A gate says no by throwing. Code that returns a boolean expects `false` to be a no, so TypeScript refuses it and prints the string. */
export type NoBoolean<Result> = 0 extends 1 & Result
  ? unknown // any
  : [Extract<Awaited<Result>, boolean>] extends [never]
    ? unknown
    : 'a gate must not return a boolean: throw Denied to say no, return nothing to let the event pass'

/** What a handler is given. */
export interface HandlerContext<Event> {
  /**
   * The event, typed by its `type`, without the values that `redact` names and without live credentials, unless `keepSecrets` names them.
   * What the type promises is there.
   */
  readonly event: Event
  /** The bytes it came in, to hand them on: numbers in them are as they were written. */
  readonly body: Uint8Array
  /** From 1. */
  readonly attempt: number
  /** Whether the delivery becomes a dead letter if this attempt fails. */
  readonly isLastAttempt: boolean
  /** The same in every attempt of this handler at this event. Pass it to services that accept an idempotency key. */
  readonly idempotencyKey: string
  /** When FusionAuth's request arrived, epoch ms. */
  readonly receivedAt: number
  /** Aborts when the handler's time is up, its lease is lost or the webhook stops. */
  readonly signal: AbortSignal
}

/** A handler of these types, to write one apart from its `on`. */
export type Handler<T extends Types> = (context: HandlerContext<EventsOf<T>>) => unknown

/** The events of these types. */
export type EventsOf<T extends Types> = T extends readonly OneType[]
  ? EventOf<T[number]>
  : T extends OneType | '*'
    ? EventOf<T>
    : never

/** The options of `on` that do not depend on the type. With `inbox: 'none'` there are no attempts and no lanes to configure. */
export interface SharedOnOptions<Event, Inbox> {
  /**
   * Aborts the handler after so many ms and counts the attempt as failed. Default: 30,000; with `inbox: 'none'`, what is left of
   * `gateTimeoutMs`.
   */
  timeoutMs?: number
  /** Only events of this tenant, or of one of these. */
  tenantId?: OneOrMore<string>
  /** Only events that name this application, or one of these. */
  applicationId?: OneOrMore<string>
  /** Only events for which this says true. If it throws, that is a failed attempt. */
  where?: (event: Event) => boolean
  /**
   * Gives up after so many attempts; one that a crash cut off counts. Default: by time, at the first failure 24 hours or more after the
   * first one, if there were 5 attempts.
   */
  maxAttempts?: Inbox extends 'none' ? never : number
  /** `lane`: a user's events one at a time and in order. `none`: each for itself. Default: `lane`. */
  ordering?: Inbox extends 'none' ? never : 'lane' | 'none'
}

/** The name tells deliveries apart, so it must stay the same from deploy to deploy. One type is its own name. */
export type NameOption<T extends Types> = T extends OneType ? { name?: string } : { name: string }

/** The types of a list, or the one type. */
export type FlatTypes<T extends Types> = T extends readonly OneType[] ? T[number] : T

/** FusionAuth can still roll back a transactional event after it sent it: `received` runs regardless. */
export type WhenOption<T extends Types, Inbox> = [
  Extract<FlatTypes<T>, TransactionalType | Unlisted | '*'>,
] extends [never]
  ? { when?: never }
  : { when: Inbox extends 'none' ? 'received' : 'received' | 'committed' }

/** Its writes through `sql` and the end of its delivery are one commit: they happen exactly once. */
export type AtomicOption<Inbox> = { atomic?: [SqlOf<Inbox>] extends [never] ? never : boolean }

/** What an atomic handler of this inbox writes with: `SqliteSql`, `PostgresSql`, or never where the inbox offers no transaction. */
export type SqlOf<Inbox> = Inbox extends Engine<infer Sql, unknown> ? Sql : never

/** What a handler may return: anything, or, for an atomic handler, what its inbox can wait for (no promise on SQLite). */
export type ResultOf<Inbox, Options> = Options extends { atomic: true }
  ? Inbox extends Engine<unknown, infer Result>
    ? Result
    : never
  : unknown

/**
 * The options of `on` for these types and this inbox. TypeScript asks for `name` where there are several types, and for `when` where
 * FusionAuth can still roll back.
 */
export type OnOptions<T extends Types, Inbox> = SharedOnOptions<EventsOf<T>, Inbox> &
  NameOption<T> &
  WhenOption<T, Inbox> &
  AtomicOption<Inbox>

/** What a handler is given under these options: with `atomic: true` also `sql`, the transaction that settles its delivery. */
export type ContextOf<T extends Types, Inbox, Options> = HandlerContext<EventsOf<T>> &
  (Options extends { atomic: true } ? { readonly sql: SqlOf<Inbox> } : unknown)

/** Options may be left out only where nothing has to be chosen: one type, not transactional. tsc prints the strings. */
export type MayOmitOptions<T extends Types> =
  T extends Exclude<EventType, TransactionalType>
    ? unknown
    : T extends readonly unknown[]
      ? "several types need options: on(types, { name: '…' }, handler)"
      : T extends '*'
        ? "'*' needs options: on('*', { name: '…', when: 'received' }, handler)"
        : "FusionAuth can still roll this event back: on(type, { when: 'received' }, handler) runs regardless"
