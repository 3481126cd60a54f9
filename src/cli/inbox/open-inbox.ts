import { type Command, type OptionValues, Option } from '@commander-js/extra-typings'
import { secureUrl } from '../../lib/secure-url.ts'
import { misused } from '../failure.ts'
import { parseInboxPlace } from '../inbox-place.ts'
import { asSecret, forHeader, secretWays } from '../secret.ts'
import { text } from '../text.ts'
import { httpUrl, withoutLogin } from '../option-parsers.ts'
import type { OpenedInbox } from './opened-inbox.ts'

/** The flags that name an inbox. */
export type InboxOptions = {
  inbox: string
  schema?: string
  server?: string
  token?: string
  insecureHttp?: true
}

/** Adds the flags that name an inbox to a verb. */
export function addInboxOptions<Args extends unknown[], Opts extends OptionValues>(
  command: Command<Args, Opts>,
): Command<Args, Opts & InboxOptions> {
  return command
    .addOption(
      new Option(
        '--inbox <place>',
        'the inbox itself: sqlite:FILE, or postgres: and where its URL stands, as in postgres:env:DATABASE_URL',
      )
        .env('FUSEWIRE_INBOX')
        .default('sqlite:inbox.db'),
    )
    .addOption(
      new Option('--schema <name>', 'the PostgreSQL schema of the inbox (default: fusewire)').env(
        'FUSEWIRE_SCHEMA',
      ),
    )
    .addOption(
      new Option('--server <url>', 'a running server instead, by the URL of its admin listener')
        .argParser(httpUrl)
        .env('FUSEWIRE_SERVER'),
    )
    .addOption(new Option('--token <secret>', `a token of that server: ${secretWays}`).env('FUSEWIRE_TOKEN'))
    .option('--insecure-http', 'send the token over http to another machine') as Command<
    Args,
    Opts & InboxOptions
  > // The options just added.
}

/** Opens the inbox that the flags name. Imports an engine only for an inbox that this process opens itself. */
export async function openInbox(
  { inbox, schema, server, token, insecureHttp }: InboxOptions,
  sourceOf: (name: 'inbox' | 'server' | 'token') => string | undefined,
): Promise<OpenedInbox> {
  if (server === undefined || (sourceOf('inbox') === 'cli' && sourceOf('server') !== 'cli')) {
    const { openLocalInbox } = await import('./open-local-inbox.ts')
    return openLocalInbox(parseInboxPlace(inbox, sourceOf('inbox') === 'cli', schema))
  }
  if (sourceOf('inbox') === 'cli') throw misused(text`Give --inbox or --server, not both.`)
  if (token === undefined) throw misused(text`--server needs --token: env:NAME, file:PATH or -.`)
  withoutLogin(server, '--server')
  if (secureUrl(server, { insecureHttp: insecureHttp === true }) === 'insecure') {
    throw misused(
      text`${new URL(server).origin} would get the token unencrypted: use https, a tunnel to this machine, or --insecure-http.`,
    )
  }
  const { remoteInbox } = await import('./remote-inbox.ts')
  const secret = asSecret(token, '--token', sourceOf('token') === 'cli').read()
  return remoteInbox(server, forHeader(secret, '--token'))
}
