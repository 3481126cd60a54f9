import type { Engine } from '../model/engine.ts'
import type { Log } from '../model/log.ts'
import type { Webhook } from '../webhook/webhook.ts'
import type { AdminToken } from './admin-token.ts'

/** The options of `startServer`. */
export interface ServerOptions {
  /** With its handlers and gates, not started yet. Without any it still keeps every event. */
  readonly webhook: Webhook<Engine> | Webhook<'none'>
  /** Where FusionAuth's requests arrive. Default: port 3000 on every address. */
  readonly door?: DoorOptions
  /** Default: no admin listener. */
  readonly admin?: AdminOptions
  /** Where it tells what people did. */
  readonly log: Log
  /** How long to wait for an inbox that is away, in ms, while events are answered 503; 0 does not wait. Default: until it is there. */
  readonly startWithinMs?: number
  /** How long a stop may take as a whole, in ms: requests, handlers, closing the inbox. Default: 10,000. */
  readonly stopWithinMs?: number
  /** Whether SIGTERM and SIGINT stop it. Default: true. */
  readonly signals?: boolean
}

/** What FusionAuth reaches: the webhook's path and `/livez`, nothing else. */
export interface DoorOptions {
  /** 0 takes a free one. Default: 3000. */
  readonly port?: number
  /** Default: every address of the machine. */
  readonly hostname?: string
  /** Default: `/fusionauth-webhook`. */
  readonly path?: string
}

/** What people and monitoring reach. */
export interface AdminOptions {
  /** 0 takes a free one. Default: the door's, plus one. */
  readonly port?: number
  /** Default: `127.0.0.1`. */
  readonly hostname?: string
  /** Further names it may be called by in `Host`, port included, such as `admin.example.com`. */
  readonly hosts?: readonly string[]
  /** Who may speak to it: at least one, made by `adminToken`. */
  readonly tokens: readonly AdminToken[]
}
