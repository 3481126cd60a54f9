import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import { codeOf } from '../../lib/code-of.ts'
import {
  type AdminOptions,
  adminToken,
  startServer,
  type Server,
  type ServerOptions,
} from '../../server/index.ts'
import { internals } from '../../webhook/webhook-internals.ts'
import { verb } from '../verb.ts'
import { applyConfigFile, findConfigFile } from '../config-file.ts'
import { missing } from '../failure.ts'
import { loadHandlers } from '../load-handlers.ts'
import { type InboxPlace, openFailure } from '../inbox-place.ts'
import { jsonLog, plainLog, traffic } from '../log.ts'
import { createReceiver } from '../create-receiver.ts'
import { addSettingOptions, settingsOf } from '../add-setting-options.ts'
import { receiver, type Settings } from '../settings.ts'
import { note } from '../print.ts'
import { text } from '../text.ts'

/** Time for the last output to reach a slow reader of stdout. */
const lastOutputMs = 250

export function serveVerb(): CommandUnknownOpts {
  const command = verb(
    'serve',
    'Receives events until it is stopped: keeps each in the inbox before it answers, and runs your handlers. Without handlers it still keeps every event. The file exports a webhook, or a function that adds handlers to one.',
    [
      ['fusewire serve --api-key env:WEBHOOK_KEY', 'keep every event in inbox.db'],
      [
        'fusewire serve handlers.ts --jwks https://auth.example.com/.well-known/jwks.json --kid _H07wVG1fV3l5ih74rNxIC3nevE',
        'with handlers, for signed events',
      ],
      [
        'fusewire serve --inbox postgres:env:DATABASE_URL --api-key file:/run/secrets/key',
        'for several hosts',
      ],
      [
        'fusewire serve --api-key env:WEBHOOK_KEY --forward https://example.com/events --forward-secret env:FORWARD_SECRET',
        'for a program in any language',
      ],
      [
        'fusewire serve --api-key env:WEBHOOK_KEY --admin-token env:ADMIN_TOKEN',
        'with the admin listener, on port 3001 of this machine',
      ],
    ],
  )
    .argument('[handlers]', 'a TypeScript or JavaScript file')
    .option('--config <file>', 'the config file (default: fusewire.config.ts beside package.json here)')
    .addOption(
      new Option(
        '--log <form>',
        'how to tell what happens (default: plain in a terminal, else json)',
      ).choices(['json', 'plain'] as const),
    )
    .option('--traffic', 'tell of every request and every attempt')
  return addSettingOptions(command, receiver).action(
    async (file, { json, config = findConfigFile(), log: form, traffic: tells }, self) => {
      if (config !== undefined) await applyConfigFile(self, config)
      const given = settingsOf(self, receiver)
      const plain = json !== true && (form === undefined ? process.stdout.isTTY : form === 'plain')
      const log = plain ? plainLog : jsonLog
      const handlers = file === undefined ? undefined : await loadHandlers(file)
      const { webhook, place } = await createReceiver(given, handlers, self, log)
      if (tells === true) webhook[internals].observe(traffic(log, !plain))
      const server = await start({ webhook, log, ...listeners(given), ...timesOf(given) }, given, place)
      if (webhook[internals].notReady() === 'the webhook is stopped') return await endedBy(server)
      const { url, adminUrl } = server
      log.info({ url, ...(adminUrl !== undefined && { adminUrl }) }, 'ready for events')
      if (adminUrl === undefined) note(text`There is no admin listener: --admin-token env:NAME opens one.`)
      process.send?.({ url, adminUrl })
      // Stop when dev has ended. unref(): listening for that must not keep the process alive.
      process.once('disconnect', () => void server.stop()).channel?.unref()
      await endedBy(server)
    },
  )
}

/** Waits until the server has stopped, and then ends the process even if a handler ignores its signal. */
async function endedBy(server: Server): Promise<void> {
  await server.stopped
  setTimeout(() => process.exit(), lastOutputMs).unref()
}

function listeners({
  port,
  host,
  path,
  adminPort,
  adminHost,
  adminName,
  adminToken: operate,
  readToken,
}: Settings): Pick<ServerOptions, 'door' | 'admin'> {
  const tokens: AdminOptions['tokens'] = [
    ...(operate === undefined ? [] : [adminToken('admin', 'operate', operate.read())]),
    ...(readToken === undefined ? [] : [adminToken('read', 'read', readToken.read())]),
  ]
  const admin = {
    tokens,
    ...(adminPort !== undefined && { port: adminPort }),
    ...(adminHost !== undefined && { hostname: adminHost }),
    ...(adminName !== undefined && { hosts: adminName }),
  }
  return {
    door: { port, path, ...(host !== undefined && { hostname: host }) },
    ...(tokens.length > 0 && { admin }),
  }
}

function timesOf({
  startWithin,
  stopWithin,
}: Settings): Pick<ServerOptions, 'startWithinMs' | 'stopWithinMs'> {
  return {
    ...(startWithin !== undefined && { startWithinMs: startWithin }),
    ...(stopWithin !== undefined && { stopWithinMs: stopWithin }),
  }
}

async function start(
  options: ServerOptions,
  { port, adminPort = port + 1 }: Settings,
  place: InboxPlace | undefined,
): Promise<Server> {
  try {
    return await startServer(options)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      const taken = error instanceof Error && 'port' in error ? Number(error.port) : port
      const why =
        code === 'EADDRINUSE' ? 'another program listens there' : `listening there is not possible (${code})`
      throw missing(
        text`Port ${taken}: ${why}. Choose another with ${taken === adminPort ? '--admin-port' : '--port'}.`,
        { cause: error },
      )
    }
    if (place !== undefined) throw openFailure(error, place)
    if (code?.startsWith('FW_') === true) throw error
    throw missing(
      text`The receiver cannot start: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}
