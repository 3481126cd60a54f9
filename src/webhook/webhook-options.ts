import type { Engine } from '../model/engine.ts'
import type { Retention } from '../model/retention.ts'
import type { Log } from '../model/log.ts'
import type { Authenticator } from '../receive/auth/authenticator.ts'

/** The options of `new Webhook`. */
export interface WebhookOptions<Inbox extends Engine | 'none'> {
  /** Which senders are accepted. `'none'`: requests from this machine only, and none through `webhook.fetch`. */
  authenticate: Authenticator | 'none'
  /**
   * With `authenticate: 'none'`: further names of this machine, apart from localhost, that a request may have in `Host`, without a port:
   * `host.docker.internal`. Default: none.
   */
  localHosts?: readonly string[]
  /** Where acknowledged events are kept. `'none'`: nowhere; handlers run before the answer, and a failure of theirs is a 500. */
  inbox: Inbox
  /** Largest body, in bytes. Default: 10 MiB. */
  bodyLimit?: number
  /** Time from a request's headers to the decision. Keep it below the webhook's read timeout in FusionAuth. Default: 1,500 ms. */
  gateTimeoutMs?: number
  /** How many attempts of each handler run at a time. Default: 16. */
  concurrency?: number
  /** `handled`: events that no handler asks for are answered 200 and not kept; of events that a gate let pass the key is kept. Default: `all`. */
  keep?: 'all' | 'handled'
  /**
   * Paths below `event` whose values are not kept: `user.data`, `user.registrations[].data`. A user's path holds wherever the event has a user
   * (`original`, `existing`, `users[]`), a registration's wherever it has one. Gates see them, handlers do not.
   */
  redact?: readonly string[]
  /** Live credentials that are kept all the same, by the paths of docs/events.md: `refreshToken`. Default: none. */
  keepSecrets?: readonly string[]
  /** How long events are kept while the webhook is started. `'none'`: for ever. Default: 30 days; 3 days if no handler asked for the event. */
  retention?: Retention | 'none'
  /** Default: warnings and errors on stderr. */
  log?: Log
}
