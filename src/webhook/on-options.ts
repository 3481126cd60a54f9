import type { EventOf, EventType, TransactionalType, Unlisted } from '../events/types.ts'
import type { OneOrMore } from '../lib/one-or-more.ts'
import type { Engine } from '../model/engine.ts'

/** What `on` listens to: a type, several, or everything. */
export type Types = OneType | '*' | readonly [OneType, ...OneType[]]
export type OneType = EventType | Unlisted

/** What a gate is given. */
export interface GateContext<Event> {
  readonly event: Event
  /** Aborts when the deadline passes. Whatever you write after that, FusionAuth has given up and rolls back: check it before you commit. */
  readonly signal: AbortSignal
  /** Epoch ms. */
  readonly deadlineAt: number
}

export interface GateOptions {
  /** For logs. Default: the type. */
  name?: string
  /** Shortens the deadline for this gate. Default: what is left of the webhook's `gateTimeoutMs`. */
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
  readonly event: Event
  /** The bytes it came in, to hand them on: numbers in them are as they were written. */
  readonly body: Uint8Array
  /** From 1. */
  readonly attempt: number
  /** Whether a failure now is the end. */
  readonly isLastAttempt: boolean
  /** The same in every attempt of this handler at this event: pass it on to what can refuse to do a thing twice. */
  readonly idempotencyKey: string
  /** When FusionAuth's request came, epoch ms. */
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

export interface SharedOnOptions<Event, Inbox> {
  /** Aborts the handler and counts the attempt as failed. Default: 30 s; with `inbox: 'none'`, what is left of `gateTimeoutMs`. */
  timeoutMs?: number
  /** Only events of this tenant, or of one of these. */
  tenantId?: OneOrMore<string>
  /** Only events that name this application, or one of these. */
  applicationId?: OneOrMore<string>
  /** Only events for which this says true. If it throws, that is a failed attempt. */
  where?: (event: Event) => boolean
  /** Gives up after so many attempts. Default: by time, see docs/handlers.md. */
  maxAttempts?: Inbox extends 'none' ? never : number
  /** `lane`: a user's events one at a time and in order. `none`: each for itself. Default: `lane`. */
  ordering?: Inbox extends 'none' ? never : 'lane' | 'none'
}

/** The name tells deliveries apart, so it must stay the same from deploy to deploy. One type is its own name. */
export type NameOption<T extends Types> = T extends OneType ? { name?: string } : { name: string }

export type FlatTypes<T extends Types> = T extends readonly OneType[] ? T[number] : T

/** FusionAuth can still roll back a transactional event after it sent it: `received` runs regardless. */
export type WhenOption<T extends Types, Inbox> = [
  Extract<FlatTypes<T>, TransactionalType | Unlisted | '*'>,
] extends [never]
  ? { when?: never }
  : { when: Inbox extends 'none' ? 'received' : 'received' | 'committed' }

/** Its writes through `sql` and the end of its delivery are one commit: they happen exactly once. */
export type AtomicOption<Inbox> = { atomic?: [SqlOf<Inbox>] extends [never] ? never : boolean }

export type SqlOf<Inbox> = Inbox extends Engine<infer Sql, unknown> ? Sql : never

export type ResultOf<Inbox, Options> = Options extends { atomic: true }
  ? Inbox extends Engine<unknown, infer Result>
    ? Result
    : never
  : unknown

export type OnOptions<T extends Types, Inbox> = SharedOnOptions<EventsOf<T>, Inbox> &
  NameOption<T> &
  WhenOption<T, Inbox> &
  AtomicOption<Inbox>

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
