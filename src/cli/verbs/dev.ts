import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import type { Emulator } from '../../emulator/emulate.ts'
import { verb } from '../command.ts'
import { applyConfigFile, configFileHere } from '../config-file.ts'
import { reloaded } from '../dev/reloaded.ts'
import { serveAs } from '../dev/serve-as.ts'
import { tellStory } from '../dev/story.ts'
import { startEmulator } from '../emulator.ts'
import { Failure, misused } from '../failure.ts'
import { readJsonObject } from '../files.ts'
import { settable, settingsOf } from '../set.ts'
import { receiver } from '../settings.ts'
import { note } from '../terminal.ts'
import { styled, text } from '../text.ts'
import { untilStopped } from '../until-stopped.ts'
import { port } from '../values.ts'

export function devVerb(): CommandUnknownOpts {
  const command = verb(
    'dev',
    "Starts FusionAuth's event system, emulated, beside a receiver, and starts the receiver again when a source file changes. The receiver is what serve would run, connected to the emulator; or, after --, a command of your own, which is told where FusionAuth is: FUSIONAUTH_URL, FUSIONAUTH_API_KEY, FUSIONAUTH_JWKS, FUSIONAUTH_KID, and a WEBHOOK_KEY to use.",
    [
      ['fusewire dev', 'every event is kept, nothing handles it'],
      ['fusewire dev handlers.ts', 'with your handlers'],
      [
        'fusewire dev webhook.ts --api-key env:WEBHOOK_KEY',
        'with a webhook of your own that asks for this key',
      ],
      ['fusewire dev --kickstart kickstart.json -- node server.ts', 'a server of your own'],
    ],
  )
    .argument('[program...]', 'a TypeScript or JavaScript file of handlers; or, after --, a command')
    .option('--config <file>', 'the config file (default: fusewire.config.ts beside package.json here)')
    .option(
      '--watch <folder>',
      'where a changed source file starts it again (default: the folder of the handlers, or this one)',
    )
    .addOption(
      new Option('--fusionauth-port <number>', "the emulator's port")
        .argParser(port)
        .env('FUSIONAUTH_PORT')
        .default(9011),
    )
    .option('--kickstart <file>', 'a FusionAuth kickstart file for the emulator')
  return settable(command, receiver).action(
    async (program, { json, config = configFileHere(), watch, fusionauthPort, kickstart }, self) => {
      const own = process.argv.includes('--') ? program : undefined
      const [file, ...rest] = own === undefined ? program : []
      if (rest.length > 0) throw misused(text`dev takes one file of handlers, or a command after --.`)
      if (own?.length === 0) throw misused(text`There is no command after --.`)
      if (config !== undefined) await applyConfigFile(self, config)
      const settings = settingsOf(self, receiver)
      await using emulator = await startEmulator({
        port: fusionauthPort,
        ...(kickstart !== undefined && { kickstart: readJsonObject(kickstart, '--kickstart') }),
      })
      const served = own === undefined ? serveAs(file, config, settings, emulator, json === true) : undefined
      const [first = '', ...args] = served?.command ?? own ?? []
      const { promise: failed, reject: fail } = Promise.withResolvers<never>()
      const stopped = untilStopped()
      let introduced = false
      const running = reloaded({
        command: [first, ...args],
        env: { ...process.env, ...surroundings(emulator), ...served?.env },
        stdio: served === undefined ? 'inherit' : ['inherit', 'inherit', 'inherit', 'ipc'],
        folder: watch ?? (file === undefined ? '.' : dirname(file)),
        started: (child) =>
          child.once('message', (ready: { url: string; adminUrl?: string }) => {
            if (introduced || served === undefined) return
            introduced = true
            void served
              .connect(ready.url)
              .then(() => tellStory({ emulator, ...served, ...ready, json: json === true }), fail)
          }),
        changed: (name) => note(styled('dim', text`${name} changed: starting again`)),
        ended: (code, starts) => {
          if (starts === 1)
            fail(
              new Failure(
                code === 2 || code === 3 ? code : 1,
                text`The receiver ended (${code ?? 'by a signal'}).`,
              ),
            )
          else note(text`${styled('yellow', 'The receiver ended.')} It is started again when a file changes.`)
        },
      })
      try {
        await Promise.race([stopped, failed])
      } finally {
        await running.stop()
      }
    },
  )
}

/** Where a program finds the emulator. */
function surroundings({ url, apiKey, jwks, kid }: Emulator): NodeJS.ProcessEnv {
  return {
    FUSIONAUTH_URL: url,
    FUSIONAUTH_API_KEY: apiKey,
    FUSIONAUTH_JWKS: jwks,
    FUSIONAUTH_KID: kid,
    WEBHOOK_KEY: process.env['WEBHOOK_KEY'] ?? randomBytes(32).toString('hex'),
  }
}
