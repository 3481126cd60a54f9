import { createServer } from 'node:http'
import express from 'express'
import { listen } from '../lib/program.ts'
import { key } from './key.ts'

// As receivers are usually written.
const app = express()
app.use(express.json())
app.post('/fusionauth-webhook', (request, response) => {
  if (request.headers.authorization !== key) {
    response.status(401).json({ errors: [{ code: '[notAuthorized]' }] })
    return
  }
  response.status(request.body.event.type === 'user.delete' ? 200 : 400).end()
})

listen(createServer(app))
