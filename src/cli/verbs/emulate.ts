import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import type { Emulator } from '../../emulator/emulator.ts'
import { verb } from '../verb.ts'
import { startEmulator } from '../start-emulator.ts'
import { readJsonObject } from '../read-bytes.ts'
import { isReference, readSecret } from '../secret.ts'
import { note, print, printJson } from '../print.ts'
import { styled, text } from '../text.ts'
import { untilStopped } from '../until-stopped.ts'
import { port, several } from '../option-parsers.ts'

export function emulateVerb(): CommandUnknownOpts {
  return verb(
    'emulate',
    "Starts FusionAuth's event system, emulated: its API, webhooks, transactions and signatures, in memory. For development and tests only.",
    [
      ['fusewire emulate', 'on port 9011, with a made-up API key'],
      ['fusewire emulate --api-key env:FUSIONAUTH_API_KEY', 'with the key your application sends'],
      ['fusewire emulate --kickstart kickstart.json --env MY_TENANT', 'set up as your kickstart file says'],
      ['fusewire emulate --host 0.0.0.0 --name fusionauth:9011 --allow-target app', 'between containers'],
    ],
  )
    .addOption(new Option('--port <number>', 'the port to listen on').argParser(port).default(9011))
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1)')
    .option('--name <host:port>', 'a further name it may be called by; may be repeated', several)
    .option('--api-key <secret>', 'the key that opens every call: env:NAME, file:PATH, - or the key itself')
    .option(
      '--allow-target <host>',
      'a host besides this machine that webhooks may be posted to; may be repeated',
      several,
    )
    .option('--kickstart <file>', 'a FusionAuth kickstart file, run at the start and after each reset')
    .option(
      '--env <name>',
      'a variable the kickstart file may read besides FUSIONAUTH_*; may be repeated',
      several,
    )
    .addOption(
      new Option('--compatibility <version>', 'follow the rules of an older FusionAuth').choices([
        '1.36',
      ] as const),
    )
    .option(
      '--early-complete',
      'send .complete before the commit on identity provider logins, as fusionauth-issues #2233',
    )
    .action(
      async ({
        json,
        apiKey,
        name,
        allowTarget,
        kickstart,
        env,
        host,
        compatibility,
        earlyComplete,
        ...options
      }) => {
        await using emulator = await startEmulator(
          {
            port: options.port,
            ...(host !== undefined && { host }),
            ...(name !== undefined && { names: name }),
            ...(apiKey !== undefined && { apiKey: parseApiKey(apiKey) }),
            ...(allowTarget !== undefined && { allowTargets: allowTarget }),
            ...(kickstart !== undefined && { kickstart: readJsonObject(kickstart, '--kickstart') }),
            ...(env !== undefined && { env }),
            ...(compatibility !== undefined && { compatibility }),
            ...(earlyComplete !== undefined && { earlyComplete }),
          },
          '--port',
        )
        const stopped = untilStopped()
        tell(emulator, json === true)
        await stopped
      },
    )
}

function tell({ url, apiKey, jwks, kid }: Emulator, json: boolean): void {
  if (json) return printJson({ url, apiKey, jwks, kid })
  print(text`FusionAuth's event system, emulated for development, on ${styled('bold', url)}`)
  print(text`API key: ${apiKey}`)
  print(text`Everything is kept in memory. Stop with Ctrl+C.`)
}

/** A made-up emulator may have a made-up key on its command line. */
function parseApiKey(written: string): string {
  if (isReference(written)) return readSecret(written, '--api-key')
  note(
    text`${styled('yellow', 'warning:')} an API key on a command line can be read by every process of this machine; env:NAME or file:PATH hides it.`,
  )
  return written
}
