import { type Clock, longestMs, systemClock } from '../lib/clock.ts'
import { catalogue } from '../events/catalogue.ts'
import type { Engine } from '../model/engine.ts'
import { wrongOption } from '../model/errors.ts'
import { ignoreLogFailures, consoleLog, type Log } from '../model/log.ts'
import type { Retention } from '../model/retention.ts'
import type { Authenticator } from '../receive/auth/authenticator.ts'
import type { KeepPolicy } from '../receive/keep/keep-policy.ts'
import type { Redaction } from '../receive/keep/redactor.ts'
import { thisMachine } from '../receive/auth/this-machine.ts'
import type { WebhookOptions } from './webhook-options.ts'

/** The options of a webhook, checked, with every default filled in. */
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
  throw wrongOption(name, `${name} must be a whole number from 1 to ${most}.`)
}

function checkAuthenticate(authenticate: unknown): void {
  const admits = typeof authenticate === 'object' && authenticate !== null && 'admit' in authenticate
  if (admits || authenticate === 'none') return
  throw wrongOption(
    'authenticate',
    "authenticate must be apiKey, basicAuth, signature, check, allOf or anyOf; 'none' lets in this machine only.",
  )
}

function localHostsOf({ localHosts = [] }: WebhookOptions<Engine | 'none'>): readonly string[] {
  const isName = (host: unknown) => typeof host === 'string' && /^[^\s/:@]+$/.test(host)
  if (Array.isArray(localHosts) && localHosts.every(isName)) return localHosts
  throw wrongOption('localHosts', 'localHosts takes names without a port, such as host.docker.internal.')
}

function checkInbox(inbox: unknown): void {
  const appends = typeof inbox === 'object' && inbox !== null && 'append' in inbox
  if (appends || inbox === 'none') return
  throw wrongOption(
    'inbox',
    "inbox must be an engine, such as sqlite('inbox.db'), or 'none': handlers then run once, before the answer.",
  )
}

function isKeepingAll(keep: unknown): boolean {
  if (keep === undefined || keep === 'all') return true
  if (keep === 'handled') return false
  throw wrongOption('keep', "keep must be 'all' or 'handled'.")
}

function redactionOf({ redact = [], keepSecrets = [] }: WebhookOptions<Engine | 'none'>): Redaction {
  const facts = Object.values(catalogue)
  for (const path of redact) {
    if (!/^[^.[\]]+(\[\])?(\.[^.[\]]+(\[\])?)*$/.test(path)) {
      throw wrongOption(
        'redact',
        'redact takes paths below event, such as user.data or user.registrations[].data.',
      )
    }
    if (facts.some(({ promised }) => promised.some((one) => one === path || one.startsWith(`${path}.`)))) {
      throw wrongOption('redact', `redact: ${path} is promised to handlers; without it none would run.`)
    }
  }
  const unknown = keepSecrets.find((path) => !facts.some(({ secrets }) => secrets.includes(path)))
  if (unknown !== undefined) {
    throw wrongOption('keepSecrets', 'keepSecrets takes secret paths of the catalogue, such as refreshToken.')
  }
  return { also: redact, except: keepSecrets }
}

function retentionOf(retention: Retention | 'none' = {}): Retention | 'none' {
  if (retention === 'none') return retention
  const { types = {}, ...own } = retention
  for (const times of [own, ...Object.values(types)]) {
    for (const [name, value] of Object.entries(times)) {
      if (value === undefined || (typeof value === 'number' && value > 0)) continue
      throw wrongOption(`retention.${name}`, `retention: ${name} must be a number above 0, or Infinity.`)
    }
  }
  return retention
}
