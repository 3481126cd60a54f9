import type { Engine } from '../model/engine.ts'
import type { Retention } from '../model/retention.ts'
import type { Log } from '../model/log.ts'
import type { Authenticator } from '../receive/auth/authenticator.ts'

/** The options of `new Webhook`. */
export interface WebhookOptions<Inbox extends Engine | 'none'> {
  /** Who may speak. `'none'` lets in this machine only, and nothing through `webhook.fetch`. */
  authenticate: Authenticator | 'none'
  /**
   * With `authenticate: 'none'`: names in `Host`, without a port, that this machine is called by beside localhost, such as
   * `host.docker.internal`. Default: none.
   */
  localHosts?: readonly string[]
  /** Where a 2xx is kept. `'none'`: nothing is, handlers run before the answer and their failure is a 500. */
  inbox: Inbox
  /** Largest body, in bytes. Default: 10 MiB. */
  bodyLimit?: number
  /** From a request's headers to the decision. Keep it under the webhook's read timeout in FusionAuth. Default: 1,500 ms. */
  gateTimeoutMs?: number
  /** Attempts at a time, for each handler. Default: 16. */
  concurrency?: number
  /** `handled`: events that no handler asks for are answered 200 and not kept; of what a gate let pass the key stays. Default: `all`. */
  keep?: 'all' | 'handled'
  /**
   * Paths below `event` whose values are not kept: `user.data`, `user.registrations[].data`. A user's path holds wherever the event has a user
   * (`original`, `existing`, `users[]`), a registration's wherever it has one. Gates see them, handlers do not.
   */
  redact?: readonly string[]
  /** Live credentials that are kept all the same, by the paths of docs/events.md: `refreshToken`. Default: none is. */
  keepSecrets?: readonly string[]
  /** How long a started webhook lets the inbox keep events. `'none'`: for ever. Default: 30 days, 3 of them what nobody asked for. */
  retention?: Retention | 'none'
  /** Default: warnings and errors on stderr. */
  log?: Log
}
