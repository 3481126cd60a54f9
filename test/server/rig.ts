import { catalogue } from '../../src/events/catalogue.ts'
import { request as httpRequest } from 'node:http'
import { apiKey, Webhook } from 'fusewire'
import { adminToken, type Server, type ServerOptions, startServer } from 'fusewire/server'
import { memory } from 'fusewire/testing'
import { keptLog, type KeptLog } from '../support/log.ts'

const key = 'the key of these tests'
export const reader = 'a-token-that-may-only-look-32-bytes'
export const operator = 'a-token-that-may-do-everything-here'

export interface Rig extends AsyncDisposable {
  readonly server: Server
  readonly webhook: Webhook
  readonly log: KeptLog
  /** Asks the admin listener, with the operator's token unless told otherwise. */
  ask(target: string, asking?: Asking): Promise<Told>
  /** Sends an event to the door as FusionAuth would. */
  send(event: object): Promise<number>
}

export interface Asking {
  readonly method?: string
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** A server on free ports, its inbox in memory. */
export async function rig(
  register: (webhook: Webhook) => unknown = () => {},
  options: Partial<ServerOptions> = {},
): Promise<Rig> {
  const log = keptLog()
  // Kept as it came, so that the server's own masking is what hides a credential.
  const keepSecrets = catalogue['user.create.complete'].secrets
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: memory(), keepSecrets, log })
  register(webhook)
  const server = await startServer({
    webhook,
    door: { port: 0, hostname: '127.0.0.1' },
    admin: {
      port: 0,
      tokens: [adminToken('looks', 'read', reader), adminToken('acts', 'operate', operator)],
    },
    log,
    ...options,
  })
  const admin = Number(new URL(server.adminUrl ?? '').port)
  return {
    server,
    webhook,
    log,
    ask: (target, asking) => ask(admin, target, asking),
    async send(event) {
      const response = await fetch(server.url, {
        method: 'POST',
        headers: { authorization: key, 'content-type': 'application/json' },
        body: JSON.stringify({ event }),
      })
      return response.status
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

/** The target goes out exactly as given, which fetch would tidy up. */
export function ask(port: number, target: string, asking: Asking = {}): Promise<Told> {
  const { method = 'GET', body } = asking
  const token = 'token' in asking ? asking.token : operator
  const headers: Record<string, string | string[]> = {}
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  for (const [name, value] of Object.entries(asking.headers ?? {})) {
    headers[name] = typeof value === 'string' ? value : [...value]
  }
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, path: target, method, headers, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: new Headers(
              Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
            ),
            text,
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
