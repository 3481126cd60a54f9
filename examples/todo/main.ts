import { randomBytes } from 'node:crypto'
import { emulate } from 'fusewire/emulator'
import { fusionAuth } from './fusionauth.ts'
import { ada, bob } from './people.ts'
import { database, endSession, writeSession } from './session.ts'
import { createUser, registerWebhook } from './set-up.ts'
import { startTodo } from './start-todo.ts'
import { mendTodos } from './todos.ts'

/* The whole story on one machine: FusionAuth's event system, emulated, and a Todo application that listens to it. */

const { PORT = '3000', FUSIONAUTH_PORT = '9011', WEBHOOK_KEY = randomBytes(32).toString('hex') } = process.env

async function start(): Promise<void> {
  const todo = await startTodo({ port: Number(PORT), webhookKey: WEBHOOK_KEY, database })
  const emulator = await emulate({ port: Number(FUSIONAUTH_PORT) }).catch(async (error: unknown) => {
    await todo.stop()
    throw error
  })
  mendTodos(database) // Whatever state the last run left it in.
  const fusionauth = fusionAuth(emulator.url, emulator.apiKey)
  for (const person of [ada, bob]) {
    await createUser(fusionauth, person)
    if (todo.todos.of(person.id).length > 0) continue
    for (const title of person.todos) todo.todos.add(person.id, title)
  }
  await registerWebhook(fusionauth, `${todo.url}/fusionauth-webhook`, WEBHOOK_KEY)
  writeSession({ fusionauthUrl: emulator.url, apiKey: emulator.apiKey, todoUrl: todo.url })

  console.log(`
Todo example     ${todo.url}/todos?userId=${ada.id}
Its webhook      ${todo.url}/fusionauth-webhook   Authorization: ${WEBHOOK_KEY}
FusionAuth       ${emulator.url}   emulated; Authorization: ${emulator.apiKey}

Ada has 3 todos and Bob has 2. FusionAuth deletes a user only if the Todo application says yes to user.delete
(transaction level AbsoluteMajority). In a second terminal:

  npm run delete-ada                         200: committed, her todos are gone
  npm run break-db && npm run delete-bob     the Todo database refuses, the receiver answers 500, the caller gets 504: Bob and his todos stay
  npm run mend-db && npm run delete-bob      200

Or be FusionAuth yourself:

  curl -i ${todo.url}/fusionauth-webhook -H 'Authorization: ${WEBHOOK_KEY}' -H 'Content-Type: application/json' \\
    -d '{"event":{"type":"user.delete","id":"curl-'$(date +%s)'","createInstant":'$(date +%s)'000,"user":{"id":"${ada.id}"}}}'
`)

  const stop = async () => {
    endSession()
    await emulator[Symbol.asyncDispose]()
    await todo.stop()
  }
  process.once('SIGINT', () => void stop()).once('SIGTERM', () => void stop())
}

try {
  await start()
} catch (error) {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  console.error(
    taken
      ? `Port ${PORT} is taken. Choose another: PORT=3001 npm start`
      : error instanceof Error
        ? error.message
        : error,
  )
  process.exit(1)
}
