import express, { type Express } from 'express'
import { apiKey, Webhook } from 'fusewire'
import { toNodeHandler } from 'fusewire/node'
import type { Todos } from './todos.ts'

/** FusionAuth tells of a user's end; the Todo application forgets that user's Todos before FusionAuth commits. */
export function receiver(todos: Todos, webhookKey: string): Webhook<'none'> {
  const webhook = new Webhook({ authenticate: apiKey(webhookKey), inbox: 'none' })

  // A database error is thrown, answered 500, and nothing is deleted: with user.delete at a transaction level above None,
  // FusionAuth then keeps the user too.
  webhook.gate('user.delete', ({ event, signal }) => {
    todos.deleteAll(event.user.id, { signal })
  })
  return webhook
}

export function todoApp(todos: Todos, webhook: Webhook<'none'>): Express {
  const app = express()

  // Before express.json(): a webhook wants the bytes as they came.
  app.post('/fusionauth-webhook', toNodeHandler(webhook))

  app.use(express.json())
  app.post('/todos', (request, response) => {
    const { userId, title } = request.body ?? {}
    if (typeof userId !== 'string' || userId === '' || typeof title !== 'string' || title === '') {
      response.status(400).json({ errors: [{ code: '[blank]', message: 'Give a userId and a title.' }] })
      return
    }
    response.status(201).json(todos.add(userId, title))
  })
  app.get('/todos', (request, response) => {
    response.json(todos.of(String(request.query['userId'] ?? '')))
  })
  return app
}
