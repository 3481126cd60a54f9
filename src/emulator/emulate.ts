import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { catalogue, isEventType } from '../events/catalogue.ts'
import type { Overrides } from '../events/samples/overrides.ts'
import { sampleEvent } from '../events/samples/sample-event.ts'
import type { EventMap, EventType } from '../events/types.ts'
import { loopbackNames } from '../lib/loopback.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { FusewireError } from '../model/errors.ts'
import { ask, type Answered } from './api/api.ts'
import { generate, newKid } from './api/keys.ts'
import { fields, text, type Fields } from './json.ts'
import { defaultTenantIdOf, runKickstart, type Kickstart } from './kickstart.ts'
import { merge } from './merge.ts'
import { server } from './server.ts'
import type { Webhook } from './state/rows.ts'
import type { Receiver } from './system/courier.ts'
import type { Round } from './system/event-system.ts'
import type { Fault } from './system/faults.ts'
import type { Level } from './system/levels.ts'
import type { Attempt } from './system/log.ts'
import { targets } from './system/targets.ts'
import { world as newWorld, type World } from './world.ts'

/** The options of `emulate`. */
export interface EmulateOptions {
  /** The port to listen on. Default: a free one. */
  port?: number
  /** The address to listen on. Default: 127.0.0.1. */
  host?: string
  /** Further names, with port, by which requests may call the emulator, such as `fusionauth:9011` between containers. */
  names?: readonly string[]
  /** The key that opens every call. Default: a made-up one. */
  apiKey?: string
  /** `'1.36'`: webhooks are bound to applications, and a user action's own transactionType decides. */
  compatibility?: '1.36'
  /** Hosts besides this machine that webhooks may be posted to. Link-local addresses never. */
  allowTargets?: readonly string[]
  /** The contents of a FusionAuth kickstart file, run at the start and after each reset. */
  kickstart?: Kickstart
  /** Environment variables the kickstart may read besides FUSIONAUTH_*. */
  env?: readonly string[]
  /** Repeats fusionauth-issues #2233: on an identity provider login `.complete` events go out before the commit. */
  earlyComplete?: boolean
  /** Whose time it is, for tests that decide what time it is. Default: the machine's. */
  clock?: Clock
}

/** One post of an event to one receiver, by the receiver's name. */
export interface Attempted {
  /** The receiver's name. */
  readonly webhook: string
  /** The HTTP status of its answer; `timeout`: none in time; `refused`: no connection. */
  readonly status: number | 'timeout' | 'refused'
  /** How long it took, in ms. */
  readonly ms: number
}

/** How a call ended, once everything it set in motion has ended. */
export interface Outcome {
  /** Whether the change was made: a transactional event had enough receivers that said yes. */
  readonly committed: boolean
  /** What the API answered. */
  readonly status: number
  /** Every event that had a receiver, in order. */
  readonly events: readonly {
    readonly type: EventType
    readonly id: string
    readonly attempts: readonly Attempted[]
  }[]
}

/** How a receiver is connected. */
export interface ConnectOptions {
  /** What outcomes and faults call it. Default: `receiver-1`, `receiver-2`, … */
  name?: string
  /** Sent with each event, such as `authorization`. Default: none. */
  headers?: Readonly<Record<string, string>>
  /** Default: every type but `event-log.create`, which tells of failed posts. */
  types?: readonly EventType[]
  /** Signs with the emulator's key: `jwks` has it, `kid` names it. Default: false. */
  sign?: boolean
}

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** Where FusionAuth's API is: `http://127.0.0.1:9011`. */
  readonly url: string
  /** The key that opens every call: send it as `Authorization`. */
  readonly apiKey: string
  /** Where the public keys are. */
  readonly jwks: string
  /** The key that signs for receivers connected with `sign`; the same after a reset. */
  readonly kid: string
  /** Makes a receiver, in this process or at a URL, a webhook of the default tenant, and enables its types there. */
  connect(to: Receiver | string, options?: ConnectOptions): Promise<void>
  /** Sets how many receivers must accept a type, and enables it, in the default tenant. */
  level(type: EventType, level: Level): void
  /** Makes the next posts to a receiver go wrong, until its `times` are used up or it is cleared. */
  fault(name: string, fault: Fault | 'none'): void
  /** Creates a user by the API, with all its events. Default: a made-up id and address. */
  createUser(user?: {
    id?: string
    email?: string
  }): Promise<Outcome & { readonly user: { readonly id: string } }>
  /** Deletes a user for good by the API, with all its events. */
  deleteUser(id: string): Promise<Outcome>
  /** Sends a made-up event through the whole event system, as if something had happened. */
  send<const T extends EventType>(type: T, overrides?: Overrides<Omit<EventMap[T], 'type'>>): Promise<Outcome>
  /** Sends an event to one receiver only, like FusionAuth's test page: no gates, no transaction, no log. */
  test<const T extends EventType>(
    name: string,
    type: T,
    overrides?: Overrides<Omit<EventMap[T], 'type'>>,
  ): Promise<Attempted>
  /** Resolves when nothing is left to post. */
  idle(): Promise<void>
  /** Forgets everything: users, tenants, webhooks, receivers, logs. As started. */
  reset(): Promise<void>
}

/**
 * Starts FusionAuth's event system on a port of this machine, for development and tests. Everything is kept in memory. `await using` stops
 * it.
 *
 * @throws FW_OPTION when the port is taken, or a request of the kickstart file fails.
 * @example
 * const key = 'for this test alone, 32 bytes...'
 * const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none' })
 * await using fusionauth = await emulate()
 * await fusionauth.connect(webhook, { headers: { authorization: key } })
 * fusionauth.level('user.delete', 'AbsoluteMajority')
 * const { user } = await fusionauth.createUser()
 * const { committed } = await fusionauth.deleteUser(user.id)
 */
export async function emulate(options: EmulateOptions = {}): Promise<Emulator> {
  const { port = 0, host = '127.0.0.1', names = [], apiKey = randomBytes(32).toString('base64url') } = options
  const material = await generate('ES256')
  const kid = newKid(material)
  const signingKey = { id: randomUUID(), name: 'Fusewire emulator', kid, ...material }

  async function start(): Promise<World> {
    const world = newWorld({
      clock: options.clock ?? systemClock,
      targets: targets(options.allowTargets ?? []),
      rules: {
        compatibility: options.compatibility ?? 'current',
        earlyComplete: options.earlyComplete ?? false,
      },
      apiKey,
      signingKey,
      defaultTenantId: defaultTenantIdOf(options.kickstart),
    })
    if (options.kickstart !== undefined) {
      await runKickstart(world, apiKey, options.kickstart, {
        variables: process.env,
        names: options.env ?? [],
      })
    }
    return world
  }

  let world = await start()
  let hosts: ReadonlySet<string> = new Set()
  const http = server(
    () => world,
    () => hosts,
    reset,
  )
  http.listen(port, host)
  await once(http, 'listening').catch((error: unknown) => {
    throw unavailable(error, host, port)
  })
  // A listening TCP server has an AddressInfo.
  const { port: bound } = http.address() as AddressInfo
  hosts = new Set([...[...loopbackNames, host].map((name) => `${name}:${bound}`), ...names])
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`

  async function reset(): Promise<void> {
    const before = world
    before.events.stop()
    world = await start()
    await before.events.idle()
  }

  const webhookNamed = (name: string): Webhook => {
    const webhook = world.rows.webhooks.all().find(({ description }) => description === name)
    if (webhook !== undefined) return webhook
    throw new FusewireError('FW_OPTION', `No receiver is called ${name}; connect() gives it its name.`)
  }

  const call = (method: string, path: string, body?: Fields) =>
    ask(world, { method, url: path, body, authorization: apiKey, tenantId: world.defaultTenantId })

  return {
    url,
    apiKey,
    kid,
    jwks: `${url}/.well-known/jwks.json`,

    async connect(
      to,
      {
        name = `receiver-${world.rows.webhooks.all().length + 1}`,
        headers = {},
        types = usual,
        sign = false,
      } = {},
    ) {
      const answer = await call('POST', '/api/webhook', {
        webhook: {
          url: typeof to === 'string' ? to : `http://localhost/${name}`,
          description: name,
          connectTimeout: 1000,
          readTimeout: 2000,
          headers,
          eventsEnabled: Object.fromEntries(types.map((type) => [type, true])),
          tenantIds: [world.defaultTenantId],
          ...(sign && { signatureConfiguration: { enabled: true, signingKeyId: signingKey.id } }),
        },
      })
      const id = text(fields(answer.body?.['webhook'])['id'])
      if (id === undefined) throw new FusewireError('FW_OPTION', `connect: ${JSON.stringify(answer.body)}`)
      if (typeof to !== 'string') world.events.attach(id, to)
      for (const type of types) setEvent(world, type)
    },

    level(type, level) {
      if (!catalogue[type].transactional && level !== 'None') {
        throw new FusewireError(
          'FW_OPTION',
          `${type} is not transactional: FusionAuth sends it whatever the answer.`,
        )
      }
      setEvent(world, type, level)
    },

    fault(name, fault) {
      const { faults } = world.events.courier
      const { id } = webhookNamed(name)
      if (fault === 'none') faults.clear(id)
      else faults.set(id, fault)
    },

    async createUser(user = {}) {
      const email = `${randomUUID()}@example.com`
      const answer = await call('POST', '/api/user', { user: { email, ...user } })
      const id = text(fields(answer.body?.['user'])['id']) ?? user.id ?? ''
      return { ...(await outcomeOf(answer)), user: { id } }
    },

    async deleteUser(id) {
      return outcomeOf(await call('DELETE', `/api/user/${encodeURIComponent(id)}?hardDelete=true`))
    },

    async send(type, overrides) {
      const event = sampled(type, overrides, world)
      const { committed, settled } = await world.events.operate((draft) =>
        draft.fire({
          type,
          tenantId: text(event['tenantId']),
          applicationIds: [text(event['applicationId']) ?? []].flat(),
          fields: event,
        }),
      )
      return { committed, status: committed ? 200 : 504, events: (await settled).map((round) => told(round)) }
    },

    async test(name, type, overrides) {
      const event = sampled(type, overrides, world)
      const { ms, ...posted } = await world.events.test(webhookNamed(name), { type, fields: event })
      return { webhook: name, status: statusOf(posted), ms }
    },

    idle: () => world.events.idle(),
    reset,

    async [Symbol.asyncDispose]() {
      world.events.stop()
      const closed = once(http, 'close')
      http.close()
      http.closeAllConnections()
      await Promise.all([closed, world.events.idle()])
    },
  }
}

const usual: readonly EventType[] = Object.keys(catalogue)
  .filter(isEventType)
  .filter((type) => type !== 'event-log.create' && type !== 'test')

function unavailable(error: unknown, host: string, port: number): FusewireError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const why = code === 'EADDRINUSE' ? 'another program listens there' : code
  return new FusewireError('FW_OPTION', `The emulator cannot listen on ${host}:${port}: ${why}.`, {
    cause: error,
  })
}

/** Enables a type in the default tenant; its level stays as it is unless one is given. */
function setEvent({ store, rows, defaultTenantId }: World, type: EventType, level?: Level): void {
  const tenant = rows.tenants.get(defaultTenantId)
  if (tenant === undefined || catalogue[type].scope === 'instance') return
  const { events } = tenant.eventConfiguration
  const transactionType = level ?? events[type]?.transactionType ?? 'None'
  const eventConfiguration = { events: { ...events, [type]: { enabled: true, transactionType } } }
  store.write((writing) => writing.tenants.put({ ...tenant, eventConfiguration }))
}

/** A sample of today, of the default tenant, with the caller's values in place. */
function sampled(type: EventType, overrides: object | undefined, { events, defaultTenantId }: World): Fields {
  const { id: _, ...sample } = { ...sampleEvent(type) }
  const current = { ...sample, id: randomUUID(), createInstant: events.now() }
  const tenantId = 'tenantId' in sample ? { tenantId: defaultTenantId } : {}
  return merge({ ...current, ...tenantId }, { ...overrides })
}

async function outcomeOf(answer: Answered): Promise<Outcome> {
  const rounds = await Promise.all(answer.changes.map(({ settled }) => settled))
  const committed = answer.status < 400 && answer.changes.every((change) => change.committed)
  return { committed, status: answer.status, events: rounds.flat().map(told) }
}

function told({ event, entry, receivers }: Round): Outcome['events'][number] {
  const names = new Map(receivers.map(({ webhook }) => [webhook.id, webhook.description ?? webhook.url]))
  const attempts = entry.attempts.map((attempt) => ({
    webhook: names.get(attempt.webhookId) ?? attempt.url,
    status: statusOf(attempt),
    ms: attempt.endInstant - attempt.startInstant,
  }))
  return { type: event.type, id: event.id, attempts }
}

function statusOf({ statusCode, exception }: Pick<Attempt, 'statusCode' | 'exception'>): Attempted['status'] {
  return statusCode ?? (exception?.includes('timed out') === true ? 'timeout' : 'refused')
}
