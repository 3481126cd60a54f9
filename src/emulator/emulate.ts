import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { catalogue, isEventType } from '../events/catalogue.ts'
import { sampleEvent } from '../events/samples/sample-event.ts'
import type { EventType } from '../events/types.ts'
import { loopbackNames } from '../lib/loopback-names.ts'
import { systemClock } from '../lib/clock.ts'
import { type FusewireError, wrongOption } from '../model/errors.ts'
import { callApi, type ApiResult } from './api/call-api.ts'
import { generate, newKid } from './api/keys.ts'
import type { Attempted, Emulator, EmulateOptions, Outcome } from './emulator.ts'
import { fields, text, type Fields } from './fields.ts'
import { defaultTenantIdOf, runKickstart } from './kickstart.ts'
import { merge } from './merge.ts'
import { createHttpServer } from './http-server.ts'
import type { Webhook } from './state/tables.ts'
import type { Dispatch } from './system/event-system.ts'
import type { Level } from './system/level.ts'
import type { PostAttempt } from './system/event-log.ts'
import { targets } from './system/targets.ts'
import { createEmulatorState, type EmulatorState } from './emulator-state.ts'

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

  async function start(): Promise<EmulatorState> {
    const state = createEmulatorState({
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
      await runKickstart(state, apiKey, options.kickstart, {
        variables: process.env,
        names: options.env ?? [],
      })
    }
    return state
  }

  let state = await start()
  let hosts: ReadonlySet<string> = new Set()
  const http = createHttpServer(
    () => state,
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
    const before = state
    before.events.stop()
    state = await start()
    await before.events.idle()
  }

  const webhookNamed = (name: string): Webhook => {
    const webhook = state.rows.webhooks.all().find(({ description }) => description === name)
    if (webhook !== undefined) return webhook
    throw wrongOption('name', `No receiver is called ${name}; connect() gives it its name.`)
  }

  const call = (method: string, path: string, body?: Fields) =>
    callApi(state, { method, url: path, body, authorization: apiKey, tenantId: state.defaultTenantId })

  return {
    url,
    apiKey,
    kid,
    jwks: `${url}/.well-known/jwks.json`,

    async connect(
      to,
      {
        name = `receiver-${state.rows.webhooks.all().length + 1}`,
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
          tenantIds: [state.defaultTenantId],
          ...(sign && { signatureConfiguration: { enabled: true, signingKeyId: signingKey.id } }),
        },
      })
      const id = text(fields(answer.body?.['webhook'])['id'])
      if (id === undefined) throw wrongOption('receiver', `connect: ${JSON.stringify(answer.body)}`)
      if (typeof to !== 'string') state.events.attach(id, to)
      for (const type of types) setEvent(state, type)
    },

    level(type, level) {
      if (!catalogue[type].transactional && level !== 'None') {
        throw wrongOption('type', `${type} is not transactional: FusionAuth sends it whatever the answer.`)
      }
      setEvent(state, type, level)
    },

    fault(name, fault) {
      const { faults } = state.events.sender
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
      const event = sampled(type, overrides, state)
      const { committed, settled } = await state.events.runTransaction((tx) =>
        tx.fire({
          type,
          tenantId: text(event['tenantId']),
          applicationIds: [text(event['applicationId']) ?? []].flat(),
          fields: event,
        }),
      )
      return { committed, status: committed ? 200 : 504, events: (await settled).map(outcomeOfDispatch) }
    },

    async test(name, type, overrides) {
      const event = sampled(type, overrides, state)
      const { ms, ...posted } = await state.events.test(webhookNamed(name), { type, fields: event })
      return { webhook: name, status: statusOf(posted), ms }
    },

    idle: () => state.events.idle(),
    reset,

    async [Symbol.asyncDispose]() {
      state.events.stop()
      const closed = once(http, 'close')
      http.close()
      http.closeAllConnections()
      await Promise.all([closed, state.events.idle()])
    },
  }
}

const usual: readonly EventType[] = Object.keys(catalogue)
  .filter(isEventType)
  .filter((type) => type !== 'event-log.create' && type !== 'test')

function unavailable(error: unknown, host: string, port: number): FusewireError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const why = code === 'EADDRINUSE' ? 'another program listens there' : code
  return wrongOption('port', `The emulator cannot listen on ${host}:${port}: ${why}.`, error)
}

/** Enables a type in the default tenant. Without `level` the level stays as it is. */
function setEvent({ store, rows, defaultTenantId }: EmulatorState, type: EventType, level?: Level): void {
  const tenant = rows.tenants.get(defaultTenantId)
  if (tenant === undefined || catalogue[type].scope === 'instance') return
  const { events } = tenant.eventConfiguration
  const transactionType = level ?? events[type]?.transactionType ?? 'None'
  const eventConfiguration = { events: { ...events, [type]: { enabled: true, transactionType } } }
  store.write((writing) => writing.tenants.put({ ...tenant, eventConfiguration }))
}

/** A sample of the default tenant with the present time and the caller's values. */
function sampled(
  type: EventType,
  overrides: object | undefined,
  { events, defaultTenantId }: EmulatorState,
): Fields {
  const { id: _, ...sample } = { ...sampleEvent(type) }
  const current = { ...sample, id: randomUUID(), createInstant: events.now() }
  const tenantId = 'tenantId' in sample ? { tenantId: defaultTenantId } : {}
  return merge({ ...current, ...tenantId }, { ...overrides })
}

async function outcomeOf(answer: ApiResult): Promise<Outcome> {
  const dispatches = await Promise.all(answer.transactions.map(({ settled }) => settled))
  const committed = answer.status < 400 && answer.transactions.every((change) => change.committed)
  return { committed, status: answer.status, events: dispatches.flat().map(outcomeOfDispatch) }
}

function outcomeOfDispatch({ event, entry, receivers }: Dispatch): Outcome['events'][number] {
  const names = new Map(receivers.map(({ webhook }) => [webhook.id, webhook.description ?? webhook.url]))
  const attempts = entry.attempts.map((attempt) => ({
    webhook: names.get(attempt.webhookId) ?? attempt.url,
    status: statusOf(attempt),
    ms: attempt.endInstant - attempt.startInstant,
  }))
  return { type: event.type, id: event.id, attempts }
}

function statusOf({
  statusCode,
  exception,
}: Pick<PostAttempt, 'statusCode' | 'exception'>): Attempted['status'] {
  return statusCode ?? (exception?.includes('timed out') === true ? 'timeout' : 'refused')
}
