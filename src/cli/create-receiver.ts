import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import type { Engine } from '../model/engine.ts'
import type { Log } from '../model/log.ts'
import { forward } from '../server/index.ts'
import { Webhook } from '../webhook/webhook.ts'
import { createAuthenticator } from './create-authenticator.ts'
import { misused } from './failure.ts'
import type { Handlers } from './load-handlers.ts'
import { parseInboxPlace, type InboxPlace } from './inbox-place.ts'
import { originOf } from './add-setting-options.ts'
import { authentication, type SettingName, settings, type Settings } from './settings.ts'
import { text } from './text.ts'

/** Settings of the webhook. They cannot be combined with a file that exports its own webhook. */
const decisive = [
  'authenticate',
  'localHost',
  'inbox',
  'schema',
  'allowVolatile',
  'bodyLimit',
  'concurrency',
  ...authentication,
] as const satisfies readonly SettingName[]

/** A webhook to serve. */
export interface ToServe {
  readonly webhook: Webhook
  /** The place of its inbox. Absent when a file exports the webhook. */
  readonly place?: InboxPlace
}

/** The webhook to serve: the one that the file exports, or one made from the settings with the file's handlers. Its inbox is not open yet. */
export async function createReceiver(
  given: Settings,
  handlers: Handlers | undefined,
  command: CommandUnknownOpts,
  log: Log,
): Promise<ToServe> {
  const handOn = forwarderOf(given)
  if (handlers !== undefined && 'webhook' in handlers) {
    const decided = decisive.find((name) => ['flag', 'config file'].includes(originOf(command, name)))
    if (decided === undefined) return { webhook: handOn(handlers.webhook) }
    const [flag] = settings[decided].flag.split(' ', 1)
    throw misused(
      text`The handlers' file exports a webhook of its own, which ${flag ?? decided} cannot change. Leave one of them out.`,
    )
  }
  const authenticate = createAuthenticator(given) ?? given.authenticate
  if (authenticate === undefined) {
    throw misused(
      text`Say who may speak: --api-key env:NAME, --jwks URL with --kid, --signing-secret env:NAME, or --authenticate none for this machine alone.`,
    )
  }
  const place = parseInboxPlace(given.inbox, originOf(command, 'inbox') === 'flag', given.schema)
  const inbox: Engine = await place.engine({ allowVolatile: given.allowVolatile === true })
  const { bodyLimit, concurrency, localHost } = given
  const webhook = new Webhook({
    authenticate,
    inbox,
    log,
    ...(localHost !== undefined && { localHosts: localHost }),
    ...(bodyLimit !== undefined && { bodyLimit }),
    ...(concurrency !== undefined && { concurrency }),
  })
  await handlers?.add(webhook)
  return { webhook: handOn(webhook), place }
}

/** Returns a function that adds the forwarding handler to a webhook, if `--forward` is set. */
function forwarderOf({ forward: to, forwardSecret }: Settings): (webhook: Webhook) => Webhook {
  if ((to === undefined) !== (forwardSecret === undefined)) {
    throw misused(text`--forward and --forward-secret need each other.`)
  }
  if (to === undefined || forwardSecret === undefined) return (webhook) => webhook
  const handler = forward(to, { secret: forwardSecret.read() })
  return (webhook) => webhook.on('*', { name: 'forward', when: 'received' }, handler)
}
