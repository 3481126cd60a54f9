import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { codeOf } from '../model/errors.ts'
import { emulate, type EmulateOptions } from './emulate.ts'
import { fields } from './json.ts'

/*
 * `npm run emulate -- --port 9011 --api-key KEY`: the emulator until SIGTERM or SIGINT.
 */

function optionsOf(): EmulateOptions {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9011' },
      host: { type: 'string' },
      name: { type: 'string', multiple: true },
      'api-key': { type: 'string' },
      'allow-target': { type: 'string', multiple: true },
      kickstart: { type: 'string' },
      env: { type: 'string', multiple: true },
      compatibility: { type: 'string' },
      'early-complete': { type: 'boolean' },
    },
  })
  const { host, name, kickstart, env, compatibility } = values
  if (!/^\d{1,5}$/.test(values.port)) throw new TypeError(`--port takes a number, not ${values.port}.`)
  if (compatibility !== undefined && compatibility !== '1.36') {
    throw new TypeError('--compatibility knows 1.36 only.')
  }
  return {
    port: Number(values.port),
    ...(host !== undefined && { host }),
    ...(name !== undefined && { names: name }),
    ...(values['api-key'] !== undefined && { apiKey: values['api-key'] }),
    ...(values['allow-target'] !== undefined && { allowTargets: values['allow-target'] }),
    ...(kickstart !== undefined && { kickstart: fields(JSON.parse(readFileSync(kickstart, 'utf8'))) }),
    ...(env !== undefined && { env }),
    ...(compatibility !== undefined && { compatibility }),
    ...(values['early-complete'] === true && { earlyComplete: true }),
  }
}

try {
  const emulator = await emulate(optionsOf())
  process.stdout.write(
    `FusionAuth's event system, emulated for development, on ${emulator.url}\nAPI key: ${emulator.apiKey}\nEverything is kept in memory. Stop with Ctrl+C.\n`,
  )
  const stop = () => void emulator[Symbol.asyncDispose]().then(() => process.exit(0))
  process.once('SIGTERM', stop).once('SIGINT', stop)
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${codeOf(error) === undefined ? '' : `${codeOf(error)}: `}${message}\n`)
  process.exitCode = 1
}
