import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { hardenServer } from 'fusewire/node'
import { todoApp } from './app.ts'
import { openTodos } from './todos.ts'

const { PORT = '3000', WEBHOOK_KEY = randomBytes(32).toString('hex'), TODO_DB = 'todo.db' } = process.env
const inboxFile = TODO_DB.replace(/(\.db)?$/, '.inbox.db')
const ada = 'ada00000-0000-4000-8000-000000000001'

const isNew = !existsSync(TODO_DB)
const todos = openTodos(TODO_DB)
if (isNew) {
  for (const title of ['Read the notes on the Engine', 'Write Note G', 'Answer Mr Babbage'])
    todos.add(ada, title)
}

const { webhook, app } = todoApp(todos, inboxFile, WEBHOOK_KEY)
await webhook.start()

const server = hardenServer(app.listen(Number(PORT)))
server.on('error', (error: NodeJS.ErrnoException) => {
  console.error(
    error.code === 'EADDRINUSE'
      ? `Port ${PORT} is taken. Choose another: PORT=3001 npm start`
      : error.message,
  )
  process.exitCode = 1
})
server.on('listening', () => {
  const address = server.address()
  const url = `http://localhost:${typeof address === 'object' ? address?.port : PORT}`
  console.log(`Todo example on ${url}

  Ada's todos   ${url}/todos?userId=${ada}
  Webhook       ${url}/fusionauth-webhook
  Its key       ${WEBHOOK_KEY}

Tell it, as FusionAuth would, that Ada was deleted; then look at her todos again:

  curl -i ${url}/fusionauth-webhook -H 'Authorization: ${WEBHOOK_KEY}' -H 'Content-Type: application/json' \\
    -d '{"event":{"type":"user.delete","id":"curl-'$(date +%s)'","createInstant":'$(date +%s)'000,"user":{"id":"${ada}"}}}'
`)
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => {
      void webhook.stop().then(() => todos.close())
    })
    server.closeIdleConnections()
  })
}
