import { randomBytes } from 'node:crypto'
import { fusionAuth } from './fusionauth.ts'
import { ada, bob } from './people.ts'
import { database, endSession, writeSession } from './session.ts'
import { createUser, isRegistered, registerWebhook } from './set-up.ts'
import { startTodo } from './start-todo.ts'
import { mendTodos } from './todos.ts'

/* The whole story on one machine: a Todo application that listens to FusionAuth. `fusewire dev` emulates that, and starts this. */

const {
  PORT = '3000',
  FUSIONAUTH_URL,
  FUSIONAUTH_API_KEY,
  WEBHOOK_KEY = randomBytes(32).toString('hex'),
} = process.env

async function start(fusionauthUrl: string, apiKey: string): Promise<void> {
  const todo = await startTodo({ port: Number(PORT), webhookKey: WEBHOOK_KEY, database })
  todo.server.on('request', (request, response) => {
    response.once('finish', () => console.log(`${request.method} ${request.url} → ${response.statusCode}`))
  })
  mendTodos(database) // Whatever state the last run left it in.
  const fusionauth = fusionAuth(fusionauthUrl, apiKey)
  const webhookUrl = `${todo.url}/fusionauth-webhook`
  if (!(await isRegistered(fusionauth, webhookUrl))) {
    for (const person of [ada, bob]) {
      await createUser(fusionauth, person)
      if (todo.todos.of(person.id).length > 0) continue
      for (const title of person.todos) todo.todos.add(person.id, title)
    }
    await registerWebhook(fusionauth, webhookUrl, WEBHOOK_KEY)
  }
  writeSession({ fusionauthUrl, apiKey, todoUrl: todo.url })

  console.log(`
Todo example     ${todo.url}/todos?userId=${ada.id}
Its webhook      ${webhookUrl}   Authorization: ${WEBHOOK_KEY}
FusionAuth       ${fusionauthUrl}   emulated; Authorization: ${apiKey}

Ada has 3 todos and Bob has 2. FusionAuth deletes a user only if the Todo application says yes to user.delete
(transaction level AbsoluteMajority). In a second terminal:

  npm run delete-ada                         200: committed, her todos are gone
  npm run break-db && npm run delete-bob     the Todo database refuses, the receiver answers 500, the caller gets 504: Bob and his todos stay
  npm run mend-db && npm run delete-bob      200

Or be FusionAuth yourself:

  curl -i ${webhookUrl} -H 'Authorization: ${WEBHOOK_KEY}' -H 'Content-Type: application/json' \\
    -d '{"event":{"type":"user.delete","id":"curl-'$(date +%s)'","createInstant":'$(date +%s)'000,"user":{"id":"${ada.id}"}}}'
`)

  const stop = async () => {
    endSession()
    await todo.stop()
  }
  process.once('SIGINT', () => void stop()).once('SIGTERM', () => void stop())
}

try {
  if (FUSIONAUTH_URL === undefined || FUSIONAUTH_API_KEY === undefined) {
    throw new Error(
      'FUSIONAUTH_URL and FUSIONAUTH_API_KEY say where FusionAuth is. npm start emulates one and sets them.',
    )
  }
  await start(FUSIONAUTH_URL, FUSIONAUTH_API_KEY)
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
