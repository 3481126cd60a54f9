import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import type { Emulator } from '../../emulator/emulator.ts'
import { verb } from '../verb.ts'
import { applyConfigFile, findConfigFile } from '../config-file.ts'
import { type Program, reloaded } from '../dev/reloaded.ts'
import { serveAs, type Serving } from '../dev/serve-as.ts'
import { printDevSummary } from '../dev/print-dev-summary.ts'
import { startEmulator } from '../start-emulator.ts'
import { Failure, misused } from '../failure.ts'
import { readJsonObject } from '../read-bytes.ts'
import { addSettingOptions, settingsOf } from '../add-setting-options.ts'
import { receiver } from '../settings.ts'
import { note } from '../print.ts'
import { styled, text } from '../text.ts'
import { untilStopped } from '../until-stopped.ts'
import { port } from '../option-parsers.ts'

/** How long the user's own command may take to stop. */
const ownGraceMs = 5_000

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
  return addSettingOptions(command, receiver).action(
    async (program, { json, config = findConfigFile(), watch, fusionauthPort, kickstart }, self) => {
      const own = process.argv.includes('--') ? program : undefined
      const [file, ...rest] = own === undefined ? program : []
      if (rest.length > 0) throw misused(text`dev takes one file of handlers, or a command after --.`)
      if (config !== undefined) await applyConfigFile(self, config)
      const given = settingsOf(self, receiver)
      await using emulator = await startEmulator(
        {
          port: fusionauthPort,
          ...(kickstart !== undefined && { kickstart: readJsonObject(kickstart, '--kickstart') }),
        },
        '--fusionauth-port or FUSIONAUTH_PORT',
      )
      const folder = watch ?? (file === undefined ? '.' : dirname(file))
      await develop(folder, (fail) =>
        own === undefined
          ? served(
              serveAs(file, config, given, emulator, json === true),
              emulator,
              given.inbox,
              json === true,
              fail,
            )
          : ownProgram(own, emulator),
      )
    },
  )
}

/** Runs the program and restarts it on changes until a signal. A program that ends by itself before any change ends dev, too. */
async function develop(folder: string, make: (fail: (error: unknown) => void) => Program): Promise<void> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const stopped = untilStopped()
  const running = reloaded(make(fail), folder, {
    changed: (name) => note(styled('dim', text`${name} changed: starting again`)),
    ended(code, starts) {
      if (starts > 1) {
        return note(text`${styled('yellow', 'The receiver ended.')} It is started again when a file changes.`)
      }
      const exitCode = code === 2 || code === 3 ? code : 1
      fail(new Failure(exitCode, text`The receiver ended (${code ?? 'by a signal'}).`))
    },
  })
  try {
    await Promise.race([stopped, failed])
  } finally {
    const hurry = new AbortController()
    void untilStopped().then(() => hurry.abort()) // A second Ctrl+C waits for nothing.
    await running.stop(hurry.signal)
  }
}

/** `fusewire serve` as the program: the emulator posts to it, and the summary is printed when it is ready for the first time. */
function served(
  serving: Serving,
  emulator: Emulator,
  inbox: string,
  json: boolean,
  fail: (error: unknown) => void,
): Program {
  const { headers, adminToken } = serving
  let introduced = false
  return {
    command: serving.command,
    env: { ...surroundings(emulator), ...serving.env },
    graceMs: serving.graceMs,
    ready(said) {
      if (introduced) return
      introduced = true
      const told = said as { readonly url: string; readonly adminUrl?: string } // What serve says.
      emulator
        .connect(told.url, { headers, sign: true })
        .then(() => printDevSummary({ emulator, inbox, adminToken, json, ...told }))
        .catch(fail)
    },
  }
}

function ownProgram([first, ...args]: readonly string[], emulator: Emulator): Program {
  if (first === undefined) throw misused(text`There is no command after --.`)
  return { command: [first, ...args], env: surroundings(emulator), graceMs: ownGraceMs }
}

/** Environment variables by which a program finds the emulator. */
function surroundings({ url, apiKey, jwks, kid }: Emulator): NodeJS.ProcessEnv {
  return {
    WEBHOOK_KEY: randomBytes(32).toString('hex'),
    ...process.env,
    FUSIONAUTH_URL: url,
    FUSIONAUTH_API_KEY: apiKey,
    FUSIONAUTH_JWKS: jwks,
    FUSIONAUTH_KID: kid,
  }
}
