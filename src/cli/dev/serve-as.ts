import { randomBytes } from 'node:crypto'
import type { Emulator } from '../../emulator/emulator.ts'
import { variableOf } from '../add-setting-options.ts'
import type { SettingName, Settings } from '../settings.ts'

/** How dev starts `fusewire serve`: its command line and its environment. */
export interface Serving {
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  /** How long it may take to stop before it is killed. */
  readonly graceMs: number
  /** Headers that FusionAuth must send. */
  readonly headers: Readonly<Record<string, string>>
  /** The token of the admin listener. */
  readonly adminToken: string
}

/**
 * The environment stands above a config file, and no secret is on a command line. It trusts the emulator's signatures, and a key that is
 * made up unless there is one. A webhook of the handlers' own takes no notice of any of it but the ports.
 */
export function serveAs(
  file: string | undefined,
  config: string | undefined,
  given: Settings,
  emulator: Emulator,
  json: boolean,
): Serving {
  const { apiKeyHeader = 'Authorization', username, signingSecret, publicKey } = given
  const key = given.apiKey?.read() ?? (username === undefined ? madeUp() : undefined)
  const password = given.password?.read()
  const adminToken = given.adminToken?.read() ?? madeUp()
  const stopWithin = given.stopWithin ?? 2_000 // The developer who has just saved a file waits for the restart.
  const ownKeys = signingSecret !== undefined || publicKey !== undefined
  const { adminName: _, authenticate: __, localHost: ___, ...rest } = given
  return {
    graceMs: stopWithin + 2_000,
    command: [
      process.execPath,
      ...process.execArgv,
      process.argv[1] ?? '',
      'serve',
      ...(file === undefined ? [] : [file]),
      ...(config === undefined ? [] : ['--config', config]),
      '--traffic',
      '--log',
      json ? 'json' : 'plain',
    ],
    env: variables({
      ...rest,
      host: given.host ?? '127.0.0.1',
      stopWithin,
      allowVolatile: true,
      apiKey: key,
      password,
      adminToken,
      readToken: given.readToken?.read(),
      signingSecret: signingSecret?.read(),
      forwardSecret: given.forwardSecret?.read(),
      ...(!ownKeys && { jwks: emulator.jwks, kid: emulator.kid }),
    }),
    headers: {
      ...(username !== undefined && { Authorization: basic(username, password) }),
      ...(key !== undefined && { [apiKeyHeader]: key }),
    },
    adminToken,
  }
}

function madeUp(): string {
  return randomBytes(32).toString('base64url')
}

function basic(username: string, password = ''): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function variables(values: { readonly [Name in SettingName]?: unknown }): NodeJS.ProcessEnv {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== false)
  return Object.fromEntries(set.map(([name, value]) => [variableOf(name as SettingName), String(value)])) // Its keys are names.
}
