import express, { type Express } from 'express'
import { apiKey, Webhook } from 'fusewire'
import { toNodeHandler } from 'fusewire/node'
import { sqlite } from 'fusewire/sqlite'
import { readAudit, writeAudit } from './audit.ts'
import type { Todos } from './todos.ts'

export interface TodoApp {
  readonly webhook: Webhook
  readonly app: Express
}

/** A Todo application that hears from FusionAuth: a user's Todos go before FusionAuth commits that the user goes. */
export function todoApp(todos: Todos, inboxFile: string, webhookKey: string): TodoApp {
  const webhook = new Webhook({ authenticate: apiKey(webhookKey), inbox: sqlite(inboxFile) })

  // Inside FusionAuth's transaction. A database error is thrown and answered 500, nothing is deleted, and with user.delete at a
  // transaction level above None, FusionAuth keeps the user too.
  webhook.gate('user.delete', ({ event, signal }) => {
    todos.deleteAll(event.user.id, { signal })
  })

  // After FusionAuth has committed, retried until it succeeds, written exactly once.
  webhook.on('user.delete.complete', { name: 'audit', atomic: true }, ({ event, sql }) => {
    writeAudit(sql, { userId: event.user.id, what: 'deleted', at: event.createInstant })
  })

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
    const { userId } = request.query
    response.json(typeof userId === 'string' ? todos.of(userId) : [])
  })
  app.get('/audit', (_, response) => {
    response.json(readAudit(inboxFile))
  })
  return { webhook, app }
}
