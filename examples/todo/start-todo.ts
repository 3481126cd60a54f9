import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hardenServer } from 'fusewire/node'
import { todoApp } from './app.ts'
import { openTodos, type Todos } from './todos.ts'

export interface TodoOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** What FusionAuth sends as `Authorization`. */
  readonly webhookKey: string
  /** The inbox is kept beside it. */
  readonly database: string
}

export interface RunningTodo {
  readonly url: string
  readonly todos: Todos
  readonly server: Server
  readonly stop: () => Promise<void>
}

/** The Todo application, listening. */
export async function startTodo({ port, webhookKey, database }: TodoOptions): Promise<RunningTodo> {
  const todos = openTodos(database)
  const { webhook, app } = todoApp(todos, database.replace(/(\.db)?$/, '.inbox.db'), webhookKey)
  await webhook.start()
  const server = hardenServer(app.listen(port))
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo // A listening TCP server has one.

  return {
    url: `http://localhost:${bound}`,
    todos,
    server,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      await closed
      await webhook.stop()
      todos.close()
    },
  }
}
