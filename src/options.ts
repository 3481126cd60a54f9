import { type Clock, longestMs, systemClock } from './lib/clock.ts'
import type { Engine } from './model/engine.ts'
import { FusewireError } from './model/errors.ts'
import { calm, consoleLog, type Log } from './model/log.ts'
import type { Authenticator } from './receive/authenticator.ts'
import { loopbackOnly } from './receive/combine.ts'

export interface WebhookOptions<Inbox extends Engine | 'none'> {
  /** Who may speak. `'none'` lets in this machine only, and nothing through `webhook.fetch`. */
  authenticate: Authenticator | 'none'
  /** Where a 2xx is kept. `'none'`: nothing is, handlers run before the answer and their failure is a 500. */
  inbox: Inbox
  /** Largest body, in bytes. Default: 10 MiB. */
  bodyLimit?: number
  /** From a request's headers to the decision. Keep it under the webhook's read timeout in FusionAuth. Default: 1,500 ms. */
  gateTimeoutMs?: number
  /** Attempts at a time, for each handler. Default: 16. */
  concurrency?: number
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
  readonly log: Log
  readonly clock: Clock
}

export function resolveOptions(options: WebhookOptions<Engine | 'none'>): ResolvedOptions {
  const { authenticate, inbox, bodyLimit, gateTimeoutMs, concurrency, log = consoleLog } = options
  checkAuthenticate(authenticate)
  checkInbox(inbox)
  return {
    authenticator: authenticate === 'none' ? loopbackOnly : authenticate,
    inbox,
    bodyLimit: wholeNumber('bodyLimit', bodyLimit, 10 * 1024 * 1024),
    gateTimeoutMs: wholeNumber('gateTimeoutMs', gateTimeoutMs, 1500, longestMs),
    concurrency: wholeNumber('concurrency', concurrency, 16),
    log: calm(log),
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

function checkInbox(inbox: unknown): void {
  const appends = typeof inbox === 'object' && inbox !== null && 'append' in inbox
  if (appends || inbox === 'none') return
  throw new FusewireError(
    'FW_OPTION',
    "inbox must be an engine, such as sqlite('inbox.db'), or 'none': handlers then run once, before the answer.",
  )
}
