import { ada } from '../people.ts'
import { createUser } from '../set-up.ts'
import { breakTodos } from '../todos.ts'
import type { FusionAuth } from '../fusionauth.ts'
import type { Recorder, Stage } from './stage.ts'

/** One thing that is said of FusionAuth's webhooks, and how to see whether it holds. */
export interface Claim {
  readonly says: string
  readonly show: (stage: Stage) => Promise<boolean>
}

export const claims: readonly Claim[] = [
  {
    says: 'An event comes as an HTTP POST of JSON, with the Content-Type application/json.',
    async show({ emulator, recorder, say }) {
      const receiver = await recorder()
      await emulator.connect(receiver.url, { types: ['user.create'] })
      await emulator.createUser()
      const [seen] = receiver.seen
      say(
        `${seen?.method} · Content-Type: ${seen?.headers['content-type']} · event.type: ${seen?.event.type}`,
      )
      return (
        seen?.method === 'POST' &&
        String(seen.headers['content-type']).startsWith('application/json') &&
        seen.event.type === 'user.create'
      )
    },
  },
  {
    says: 'Headers that are configured for the webhook come with every request.',
    async show({ emulator, recorder, say }) {
      const receiver = await recorder()
      await emulator.connect(receiver.url, {
        types: ['user.create'],
        headers: { Authorization: 'API-KEY', 'X-Team': 'todo' },
      })
      await emulator.createUser()
      const { headers = {} } = receiver.seen[0] ?? {}
      say(`Authorization: ${headers['authorization']} · X-Team: ${headers['x-team']}`)
      return headers['authorization'] === 'API-KEY' && headers['x-team'] === 'todo'
    },
  },
  {
    says: 'A status from 200 to 299 says that the event was handled; any other says that it was not.',
    async show({ emulator, recorder, say }) {
      const receiver = await recorder()
      await emulator.connect(receiver.url, { types: ['user.create'] })
      emulator.level('user.create', 'AbsoluteMajority')
      const results = []
      for (const status of [200, 201, 204, 299, 302, 400, 401, 404, 500, 503]) {
        receiver.answer = status
        const { committed } = await emulator.createUser()
        say(`answered ${status}: ${committed ? 'committed' : 'rolled back'}`)
        results.push(committed === status < 300)
      }
      return results.every(Boolean)
    },
  },
  {
    says: 'URL and headers of a webhook are set through the API.',
    async show({ fusionauth, emulator, recorder, say }) {
      const [first, second] = [await recorder(), await recorder()]
      await emulator.connect(first.url, { types: ['user.create'] })
      const { body } = await fusionauth.call('GET', '/api/webhook')
      const { webhooks } = body as { webhooks: readonly [{ readonly id: string }] } // The one just connected.
      const webhook = { ...webhooks[0], url: second.url, headers: { Authorization: 'ANOTHER-KEY' } }
      const { status } = await fusionauth.call('PUT', `/api/webhook/${webhook.id}`, { webhook })
      await emulator.createUser()
      say(`PUT /api/webhook/${webhook.id} → ${status}`)
      say(`the old URL got ${first.seen.length} requests, the new one ${second.seen.length}`)
      say(`with Authorization: ${second.seen[0]?.headers['authorization']}`)
      return first.seen.length === 0 && second.seen[0]?.headers['authorization'] === 'ANOTHER-KEY'
    },
  },
  {
    says: 'With several webhooks on one application, the transaction setting of the event says how many of them must succeed.',
    async show(stage) {
      const fusionauth = await stage.old()
      const { applicationId, receivers } = await applicationWithWebhooks(stage, fusionauth, [
        'user.registration.create',
      ])
      receivers.slice(1).forEach((receiver) => (receiver.answer = 500))
      const results = []
      for (const [level, passes] of [
        ['None', true],
        ['Any', true],
        ['SimpleMajority', false],
        ['AbsoluteMajority', false],
      ] as const) {
        await setLevel(fusionauth, 'user.registration.create', level)
        const { status } = await fusionauth.call('POST', '/api/user/registration', {
          user: { email: `${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() },
          registration: { applicationId },
        })
        stage.say(`1 of 3 webhooks answers 200, level ${level}: the caller gets ${status}`)
        results.push((status === 200) === passes)
      }
      return results.every(Boolean)
    },
  },
  {
    says: "For a user action it is the action's own transaction setting.",
    async show(stage) {
      const fusionauth = await stage.old()
      const { applicationId, receivers } = await applicationWithWebhooks(stage, fusionauth, ['user.action'])
      receivers.slice(1).forEach((receiver) => (receiver.answer = 500))
      await createUser(fusionauth, ada)
      await setLevel(fusionauth, 'user.action', 'None')
      const results = []
      for (const [transactionType, passes] of [
        ['Any', true],
        ['AbsoluteMajority', false],
      ] as const) {
        const userAction = { name: `Warn ${transactionType}`, transactionType, temporal: false }
        const created = await fusionauth.call('POST', '/api/user-action', { userAction })
        const { id } = (created.body as { userAction: { id: string } }).userAction // The action just created.
        const { status } = await fusionauth.call('POST', '/api/user/action', {
          action: {
            actioneeUserId: ada.id,
            actionerUserId: ada.id,
            userActionId: id,
            applicationIds: [applicationId],
          },
        })
        stage.say(
          `1 of 3 webhooks answers 200, the action asks for ${transactionType}: the caller gets ${status}`,
        )
        results.push((status === 200) === passes)
      }
      return results.every(Boolean)
    },
  },
  {
    says: "On user.delete the receiver deletes all of the user's Todos and answers 2xx; FusionAuth commits.",
    async show({ withTodos, deleteUser, sayRows }) {
      await withTodos(ada)
      const before = sayRows(ada, 'before')
      const status = await deleteUser(ada)
      return before === 3 && sayRows(ada, 'after') === 0 && status === 200
    },
  },
  {
    says: 'The Authorization header must hold the API key; without it the answer is 401 and nothing happens.',
    async show({ todo, withTodos, say, sayRows }) {
      await withTodos(ada)
      const response = await fetch(`${todo.url}/fusionauth-webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'a guess' },
        body: JSON.stringify({
          event: { type: 'user.delete', id: 'forged', createInstant: 1, user: { id: ada.id } },
        }),
      })
      const body = await response.text()
      say(`Authorization: a guess → ${response.status} ${body}`)
      return (
        response.status === 401 &&
        body === '{"errors":[{"code":"[notAuthorized]"}]}' &&
        sayRows(ada, 'after') === 3
      )
    },
  },
  {
    says: 'When the Todo database fails, the receiver answers with an error status; nothing is deleted, here or in FusionAuth.',
    async show({ database, fusionauth, withTodos, deleteUser, say, sayRows }) {
      await withTodos(ada)
      breakTodos(database)
      const status = await deleteUser(ada)
      const { status: found } = await fusionauth.call('GET', `/api/user/${ada.id}`)
      say(`GET /api/user/${ada.id} → ${found}: she is still there`)
      return status === 504 && found === 200 && sayRows(ada, 'after') === 3
    },
  },
]

/** FusionAuth as it was when webhooks belonged to applications. */
async function applicationWithWebhooks(
  stage: Stage,
  fusionauth: FusionAuth,
  types: readonly string[],
): Promise<{ applicationId: string; receivers: readonly Recorder[] }> {
  const created = await fusionauth.call('POST', '/api/application', { application: { name: 'Todo' } })
  const { id: applicationId } = (created.body as { application: { id: string } }).application // The application just created.
  const receivers = [await stage.recorder(), await stage.recorder(), await stage.recorder()]
  for (const { url } of receivers) {
    const eventsEnabled = Object.fromEntries(types.map((type) => [type, true]))
    await fusionauth.call('POST', '/api/webhook', {
      webhook: {
        url,
        applicationIds: [applicationId],
        eventsEnabled,
        connectTimeout: 1000,
        readTimeout: 2000,
      },
    })
  }
  return { applicationId, receivers }
}

async function setLevel(fusionauth: FusionAuth, type: string, transactionType: string): Promise<void> {
  const { body } = await fusionauth.call('GET', '/api/tenant')
  const { tenants } = body as { tenants: readonly [{ readonly id: string }] } // There always is one.
  const events = { [type]: { enabled: true, transactionType } }
  await fusionauth.call('PATCH', `/api/tenant/${tenants[0].id}`, {
    tenant: { eventConfiguration: { events } },
  })
}
