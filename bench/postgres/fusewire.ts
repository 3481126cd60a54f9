import { createServer } from 'node:http'
import { postgres } from '../../src/engines/postgres/index.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { apiKey, Webhook } from '../../src/index.ts'
import { listen } from '../lib/program.ts'
import { key } from './key.ts'

// Not started: the deliveries are written with each event, and wait.
const webhook = new Webhook({
  authenticate: apiKey(key),
  inbox: postgres(process.argv[2]),
  log: { info() {}, warn() {}, error() {} },
})
webhook.on('user.delete.complete', () => {})

const handle = toNodeHandler(webhook)
listen(createServer((request, response) => void handle(request, response)))
