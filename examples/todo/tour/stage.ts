import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { emulate, type Emulator } from 'fusewire/emulator'
import { fusionAuth, type FusionAuth } from '../fusionauth.ts'
import type { Person } from '../people.ts'
import { createUser, registerWebhook } from '../set-up.ts'
import { startTodo, type RunningTodo } from '../start-todo.ts'

/** A request as a receiver sees it. */
export interface Seen {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly event: { readonly type: string }
}

/** A receiver that answers what it is told, and remembers what it saw. */
export interface Recorder {
  readonly url: string
  readonly seen: Seen[]
  answer: number
}

/** What a claim is shown on: an emulator, a Todo application, receivers; and where it says what happened. */
export interface Stage extends AsyncDisposable {
  readonly fusionauth: FusionAuth
  readonly emulator: Emulator
  readonly todo: RunningTodo
  readonly database: string
  readonly webhookKey: string
  readonly said: string[]
  readonly say: (line: string) => void
  readonly recorder: (answer?: number) => Promise<Recorder>
  /** An emulator of FusionAuth 1.36, where webhooks belong to applications. */
  readonly old: () => Promise<FusionAuth>
  /** The Todo application is registered, the person is there with todos. */
  readonly withTodos: (person: Person) => Promise<void>
  /** Deletes for good, and says what was asked and answered. */
  readonly deleteUser: (person: Person) => Promise<number>
  readonly sayRows: (person: Person, when: string) => number
}

export async function openStage(database: string): Promise<Stage> {
  const webhookKey = 'an-API-key-of-the-tour'
  await using opened = new AsyncDisposableStack()
  const todo = opened.adopt(await startTodo({ port: 0, webhookKey, database }), ({ stop }) => stop())
  const emulator = opened.use(await emulate())
  const fusionauth = fusionAuth(emulator.url, emulator.apiKey)
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const all = opened.move()

  return {
    fusionauth,
    emulator,
    todo,
    database,
    webhookKey,
    said,
    say,
    async recorder(answer = 200) {
      const recorder = await record(answer)
      all.defer(recorder.close)
      return recorder
    },
    async old() {
      const { url, apiKey } = all.use(await emulate({ compatibility: '1.36' }))
      return fusionAuth(url, apiKey)
    },
    async withTodos(person) {
      await createUser(fusionauth, person)
      for (const title of person.todos) todo.todos.add(person.id, title)
      await registerWebhook(fusionauth, `${todo.url}/fusionauth-webhook`, webhookKey)
    },
    async deleteUser(person) {
      const path = `/api/user/${person.id}?hardDelete=true`
      const { status, body } = await fusionauth.call('DELETE', path)
      say(`DELETE ${path} → ${status}${body === undefined ? '' : ` ${JSON.stringify(body).slice(0, 90)}…`}`)
      return status
    },
    sayRows(person, when) {
      const rows = todo.todos.of(person.id)
      say(`${person.name}'s todos ${when}: ${rows.map(({ title }) => title).join(', ') || 'none'}`)
      return rows.length
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function record(answer: number): Promise<Recorder & { close: () => Promise<void> }> {
  const seen: Seen[] = []
  const recorder = { url: '', seen, answer, close }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { event } = JSON.parse(body) as Pick<Seen, 'event'> // What the emulator sends.
      seen.push({ method: request.method ?? '', headers: headersOf(request), event })
      response.writeHead(recorder.answer).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  recorder.url = `http://127.0.0.1:${port}/`

  async function close(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return recorder
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
