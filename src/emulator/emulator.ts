import type { Overrides } from '../events/samples/overrides.ts'
import type { EventMap, EventType } from '../events/types.ts'
import type { Clock } from '../lib/clock.ts'
import type { Kickstart } from './kickstart.ts'
import type { Receiver } from './system/event-sender.ts'
import type { Fault } from './system/faults.ts'
import type { Level } from './system/level.ts'

/** The options of `emulate`. */
export interface EmulateOptions {
  /** The port to listen on. Default: a free one. */
  port?: number
  /** The address to listen on. Default: 127.0.0.1. */
  host?: string
  /** Further names, with port, by which requests may call the emulator, such as `fusionauth:9011` between containers. */
  names?: readonly string[]
  /** The API key that permits every call. Default: a random one. */
  apiKey?: string
  /** `'1.36'`: webhooks belong to applications, and the transactionType of a user action takes precedence. */
  compatibility?: '1.36'
  /** Hosts besides this machine that events may be posted to. Link-local addresses are never allowed. */
  allowTargets?: readonly string[]
  /** The contents of a FusionAuth kickstart file, run at the start and after each reset. */
  kickstart?: Kickstart
  /** Environment variables that the kickstart file may read besides FUSIONAUTH_*. */
  env?: readonly string[]
  /** Repeats fusionauth-issues #2233: at a login through an identity provider `.complete` events are sent before the commit. */
  earlyComplete?: boolean
  /** The source of time and of timeouts, for tests. Default: the machine's clock. */
  clock?: Clock
}

/** One post of an event to one receiver, by the receiver's name. */
export interface Attempted {
  /** The receiver's name. */
  readonly webhook: string
  /** The HTTP status of its answer; `timeout`: none in time; `refused`: no connection. */
  readonly status: number | 'timeout' | 'refused'
  /** Its duration in ms. */
  readonly ms: number
}

/** How a call ended, after all its events were posted. */
export interface Outcome {
  /** Whether the change was committed: enough receivers accepted each transactional event. */
  readonly committed: boolean
  /** The status of the API's response. */
  readonly status: number
  /** Every event that had a receiver, in order. */
  readonly events: readonly {
    readonly type: EventType
    readonly id: string
    readonly attempts: readonly Attempted[]
  }[]
}

/** How a receiver is connected. */
export interface ConnectOptions {
  /** The name of the receiver in outcomes and faults. Default: `receiver-1`, `receiver-2`, … */
  name?: string
  /** Headers of each request, such as `authorization`. Default: none. */
  headers?: Readonly<Record<string, string>>
  /** The types to enable. Default: every type but `event-log.create`, which reports failed posts. */
  types?: readonly EventType[]
  /** Signs requests with the emulator's key, which is in `jwks` under `kid`. Default: false. */
  sign?: boolean
}

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** The URL of FusionAuth's API, such as `http://127.0.0.1:9011`. */
  readonly url: string
  /** The API key that permits every call: send it as `Authorization`. */
  readonly apiKey: string
  /** The URL of the public keys. */
  readonly jwks: string
  /** The id of the key that signs for receivers connected with `sign`; the same after a reset. */
  readonly kid: string
  /** Adds a receiver, in this process or at a URL, as a webhook of the default tenant, and enables its types in the tenant. */
  connect(to: Receiver | string, options?: ConnectOptions): Promise<void>
  /** Sets how many receivers must accept a type, and enables the type, in the default tenant. */
  level(type: EventType, level: Level): void
  /** Injects a fault into the next posts to a receiver, for `times` posts or until it is cleared with `none`. */
  fault(name: string, fault: Fault | 'none'): void
  /** Creates a user by the API, with all its events. Default: a random id and address. */
  createUser(user?: {
    id?: string
    email?: string
  }): Promise<Outcome & { readonly user: { readonly id: string } }>
  /** Deletes a user permanently by the API, with all its events. */
  deleteUser(id: string): Promise<Outcome>
  /** Sends a sample event through the whole event system, as if something had happened. */
  send<const T extends EventType>(type: T, overrides?: Overrides<Omit<EventMap[T], 'type'>>): Promise<Outcome>
  /** Sends an event to one receiver only, like FusionAuth's test page: without a transaction and without a log entry. */
  test<const T extends EventType>(
    name: string,
    type: T,
    overrides?: Overrides<Omit<EventMap[T], 'type'>>,
  ): Promise<Attempted>
  /** Resolves when all events are posted. */
  idle(): Promise<void>
  /** Deletes everything: users, tenants, webhooks, receivers, logs. Then the emulator is as at its start. */
  reset(): Promise<void>
}
