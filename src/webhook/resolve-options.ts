import { type Clock, longestMs, systemClock } from '../lib/clock.ts'
import { catalogue } from '../events/catalogue.ts'
import type { Engine } from '../model/engine.ts'
import { FusewireError } from '../model/errors.ts'
import { ignoreLogFailures, consoleLog, type Log } from '../model/log.ts'
import type { Retention } from '../model/retention.ts'
import type { Authenticator } from '../receive/auth/authenticator.ts'
import type { KeepPolicy } from '../receive/keep/keep-policy.ts'
import type { Redaction } from '../receive/keep/redactor.ts'
import { thisMachine } from '../receive/auth/this-machine.ts'

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

/** Checked, and every default in its place. */
export interface ResolvedOptions {
  readonly authenticator: Authenticator
  readonly inbox: Engine | 'none'
  readonly bodyLimit: number
  readonly gateTimeoutMs: number
  readonly concurrency: number
  readonly keepPolicy: KeepPolicy
  readonly retention: Retention | 'none'
  readonly log: Log
  readonly clock: Clock
}

export function resolveOptions(options: WebhookOptions<Engine | 'none'>): ResolvedOptions {
  const { authenticate, inbox, bodyLimit, gateTimeoutMs, concurrency, log = consoleLog } = options
  checkAuthenticate(authenticate)
  checkInbox(inbox)
  return {
    authenticator: authenticate === 'none' ? thisMachine(localHostsOf(options)) : authenticate,
    inbox,
    bodyLimit: wholeNumber('bodyLimit', bodyLimit, 10 * 1024 * 1024),
    gateTimeoutMs: wholeNumber('gateTimeoutMs', gateTimeoutMs, 1500, longestMs),
    concurrency: wholeNumber('concurrency', concurrency, 16),
    keepPolicy: { keepAll: isKeepingAll(options.keep), redaction: redactionOf(options) },
    retention: retentionOf(options.retention),
    log: ignoreLogFailures(log),
    clock: systemClock,
  }
}

function wholeNumber(
  name: string,
  given: number | undefined,
  usual: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = given ?? usual
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new FusewireError('FW_OPTION', `${name} must be a whole number from 1 to ${most}.`)
}

function checkAuthenticate(authenticate: unknown): void {
  const admits = typeof authenticate === 'object' && authenticate !== null && 'admit' in authenticate
  if (admits || authenticate === 'none') return
  throw new FusewireError(
    'FW_OPTION',
    "authenticate must be apiKey, basicAuth, signature, check, allOf or anyOf; 'none' lets in this machine only.",
  )
}

function localHostsOf({ localHosts = [] }: WebhookOptions<Engine | 'none'>): readonly string[] {
  const isName = (host: unknown) => typeof host === 'string' && /^[^\s/:@]+$/.test(host)
  if (Array.isArray(localHosts) && localHosts.every(isName)) return localHosts
  throw new FusewireError('FW_OPTION', 'localHosts takes names without a port, such as host.docker.internal.')
}

function checkInbox(inbox: unknown): void {
  const appends = typeof inbox === 'object' && inbox !== null && 'append' in inbox
  if (appends || inbox === 'none') return
  throw new FusewireError(
    'FW_OPTION',
    "inbox must be an engine, such as sqlite('inbox.db'), or 'none': handlers then run once, before the answer.",
  )
}

function isKeepingAll(keep: unknown): boolean {
  if (keep === undefined || keep === 'all') return true
  if (keep === 'handled') return false
  throw new FusewireError('FW_OPTION', "keep must be 'all' or 'handled'.")
}

function redactionOf({ redact = [], keepSecrets = [] }: WebhookOptions<Engine | 'none'>): Redaction {
  const facts = Object.values(catalogue)
  for (const path of redact) {
    if (!/^[^.[\]]+(\[\])?(\.[^.[\]]+(\[\])?)*$/.test(path)) {
      throw new FusewireError(
        'FW_OPTION',
        'redact takes paths below event, such as user.data or user.registrations[].data.',
      )
    }
    if (facts.some(({ promised }) => promised.some((one) => one === path || one.startsWith(`${path}.`)))) {
      throw new FusewireError(
        'FW_OPTION',
        `redact: ${path} is promised to handlers; without it none would run.`,
      )
    }
  }
  const unknown = keepSecrets.find((path) => !facts.some(({ secrets }) => secrets.includes(path)))
  if (unknown !== undefined) {
    throw new FusewireError(
      'FW_OPTION',
      'keepSecrets takes secret paths of the catalogue, such as refreshToken.',
    )
  }
  return { also: redact, except: keepSecrets }
}

function retentionOf(retention: Retention | 'none' = {}): Retention | 'none' {
  if (retention === 'none') return retention
  const { types = {}, ...own } = retention
  for (const times of [own, ...Object.values(types)]) {
    for (const [name, value] of Object.entries(times)) {
      if (value === undefined || (typeof value === 'number' && value > 0)) continue
      throw new FusewireError('FW_OPTION', `retention: ${name} must be a number above 0, or Infinity.`)
    }
  }
  return retention
}
