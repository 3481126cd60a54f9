import { type GivenSecret, secretWays } from './secret.ts'
import { httpUrl, none, port, several, wholeNumber } from './option-parsers.ts'

/** Something that can be set by a flag, by the environment or in fusewire.config.ts. */
export interface Setting {
  /** In commander's notation. */
  readonly flag: string
  readonly about: string
  readonly parse?: (written: string, before: never) => unknown
  readonly usual?: string | number
  /** The default, in words. */
  readonly otherwise?: string
  readonly secret?: true
}

/** Every setting, by its name in fusewire.config.ts; `port` is `--port` and FUSEWIRE_PORT too. */
export const settings = {
  port: {
    flag: '--port <number>',
    about: 'the port FusionAuth posts to; 0 takes a free one',
    parse: port,
    usual: 3000,
  },
  host: {
    flag: '--host <address>',
    about: 'the address to listen on',
    otherwise: 'every address of the machine',
  },
  path: { flag: '--path <path>', about: 'the path FusionAuth posts to', usual: '/fusionauth-webhook' },
  inbox: {
    flag: '--inbox <place>',
    about:
      'where events are kept: sqlite:FILE, or postgres: and where the URL stands, as in postgres:env:DATABASE_URL',
    usual: 'sqlite:inbox.db',
  },
  schema: { flag: '--schema <name>', about: 'the PostgreSQL schema of the inbox', otherwise: 'fusewire' },
  allowVolatile: {
    flag: '--allow-volatile',
    about: 'accept a file system that forgets, or one on the network',
  },
  bodyLimit: {
    flag: '--body-limit <bytes>',
    about: 'the largest body to accept',
    otherwise: '10 MiB',
    parse: wholeNumber(1, 2 ** 31),
  },
  concurrency: {
    flag: '--concurrency <number>',
    about: 'attempts at a time, for each handler',
    otherwise: '16',
    parse: wholeNumber(1, 10_000),
  },
  startWithin: {
    flag: '--start-within <ms>',
    about: 'how long to wait for an inbox that is away, answering 503 meanwhile; 0 does not wait',
    otherwise: 'until it is there',
    parse: wholeNumber(0, 2 ** 31 - 1),
  },
  stopWithin: {
    flag: '--stop-within <ms>',
    about: 'how long a stop may take as a whole; then the process ends, whatever a handler does',
    otherwise: '10,000',
    parse: wholeNumber(0, 2 ** 31 - 1),
  },
  authenticate: {
    flag: '--authenticate <none>',
    about: 'none: let in processes of this machine, without credentials; for development',
    parse: none,
  },
  localHost: {
    flag: '--local-host <name>',
    about:
      'with --authenticate none: a name beside localhost that this machine is called by, such as host.docker.internal; may be repeated',
    parse: several,
  },
  apiKey: {
    flag: '--api-key <secret>',
    about: `the value of the header that FusionAuth is to send: ${secretWays}`,
    secret: true,
  },
  apiKeyNext: {
    flag: '--api-key-next <secret>',
    about: 'a second value of that header to let in while the key is replaced',
    secret: true,
  },
  apiKeyHeader: {
    flag: '--api-key-header <name>',
    about: 'the header that carries it',
    otherwise: 'Authorization',
  },
  username: { flag: '--username <name>', about: 'the user name FusionAuth is to send' },
  password: { flag: '--password <secret>', about: 'its password', secret: true },
  signingSecret: {
    flag: '--signing-secret <secret>',
    about: 'the HMAC secret FusionAuth signs with',
    secret: true,
  },
  publicKey: { flag: '--public-key <file>', about: 'the public key of what FusionAuth signs with, as PEM' },
  jwks: {
    flag: '--jwks <url>',
    about: 'where FusionAuth publishes its public keys; needs --kid',
    parse: httpUrl,
  },
  kid: { flag: '--kid <kid>', about: 'the `kid` to trust; may be repeated', parse: several },
  forward: {
    flag: '--forward <url>',
    about: 'hand every event on to this endpoint, signed by Standard Webhooks; needs --forward-secret',
    parse: httpUrl,
  },
  forwardSecret: {
    flag: '--forward-secret <secret>',
    about: 'what it verifies with: whsec_ and the base64 of 24 to 64 random bytes',
    secret: true,
  },
  adminPort: {
    flag: '--admin-port <number>',
    about: 'the port people and monitoring ask',
    otherwise: 'the next one',
    parse: port,
  },
  adminHost: { flag: '--admin-host <address>', about: 'its address', otherwise: '127.0.0.1' },
  adminName: {
    flag: '--admin-name <host:port>',
    about: 'a further name it may be called by; may be repeated',
    parse: several,
  },
  adminToken: {
    flag: '--admin-token <secret>',
    about: 'the token that may do everything there',
    secret: true,
  },
  readToken: {
    flag: '--read-token <secret>',
    about: 'a token that may only look, for monitoring',
    secret: true,
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settings

type ValueOf<S> = S extends { secret: true }
  ? GivenSecret
  : S extends { parse: (...written: never[]) => infer Value }
    ? Value
    : S extends { flag: `${string}<${string}` }
      ? string
      : boolean

/** The value of each setting: what was set, else its default. */
export type Settings<Name extends SettingName = SettingName> = {
  readonly [N in Name]:
    | ValueOf<(typeof settings)[N]>
    | ((typeof settings)[N] extends { usual: unknown } ? never : undefined)
}

/** Settings of authentication. */
export const authentication = [
  'apiKey',
  'apiKeyNext',
  'apiKeyHeader',
  'username',
  'password',
  'signingSecret',
  'publicKey',
  'jwks',
  'kid',
] as const satisfies readonly SettingName[]

/** Settings of `fusewire serve`. */
export const receiver = Object.keys(settings) as readonly SettingName[] // The keys of settings are its names.
