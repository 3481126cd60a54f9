import { randomBytes } from 'node:crypto'
import type { Emulator } from '../../emulator/emulate.ts'
import { variableOf } from '../set.ts'
import type { Settings, SettingName } from '../settings.ts'

/** `fusewire serve` as dev runs it. */
export interface Served {
  readonly command: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** What the admin listener asks for. */
  readonly adminToken: string
  /** Where events are kept. */
  readonly inbox: string
  /** Makes the emulator send to it. */
  connect(url: string): Promise<void>
}

/**
 * Everything it is told comes through the environment, above a config file, so that a webhook of the handlers' own is not in the way. It
 * trusts the emulator's signatures, and a key that is made up unless there is one.
 */
export function serveAs(
  file: string | undefined,
  config: string | undefined,
  given: Settings,
  emulator: Emulator,
  json: boolean,
): Served {
  const { apiKey, apiKeyHeader, username, password, adminToken, signingSecret, publicKey, ...others } = given
  const key = apiKey?.read() ?? (username === undefined ? randomBytes(32).toString('base64url') : undefined)
  const secret = password?.read()
  const token = adminToken?.read() ?? randomBytes(32).toString('base64url')
  const basic =
    username === undefined
      ? undefined
      : `Basic ${Buffer.from(`${username}:${secret ?? ''}`).toString('base64')}`
  const signing = signingSecret === undefined && publicKey === undefined
  const values: { readonly [Name in SettingName]?: unknown } = {
    ...others,
    apiKey: key,
    apiKeyHeader,
    username,
    password: secret,
    adminToken: token,
    readToken: given.readToken?.read(),
    forwardSecret: given.forwardSecret?.read(),
    host: given.host ?? '127.0.0.1',
    adminName: undefined,
    authenticate: undefined,
    allowVolatile: true,
    jwks: signing ? emulator.jwks : undefined,
    kid: signing ? emulator.kid : undefined,
  }
  return {
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
    env: variables(values),
    adminToken: token,
    inbox: given.inbox,
    connect: (url) =>
      emulator.connect(url, {
        headers: {
          ...(basic !== undefined && { Authorization: basic }),
          ...(key !== undefined && { [apiKeyHeader ?? 'Authorization']: key }),
        },
        sign: true,
      }),
  }
}

function variables(values: { readonly [Name in SettingName]?: unknown }): NodeJS.ProcessEnv {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== false)
  return Object.fromEntries(set.map(([name, value]) => [variableOf(name as SettingName), String(value)])) // Its keys are names.
}
