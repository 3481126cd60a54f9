import { createServer } from 'node:http'
import { imported } from '../lib/build.ts'
import { listen } from '../lib/program.ts'
import { key } from './key.ts'

const { apiKey, Webhook } = await imported('.')
const { postgres } = await imported('./postgres')
const { toNodeHandler } = await imported('./node')

// Not started: the deliveries are written with each event, and wait.
const webhook = new Webhook({
  authenticate: apiKey(key),
  inbox: postgres(process.argv[2]),
  log: { info() {}, warn() {}, error() {} },
})
webhook.on('user.delete.complete', () => {})

const handle = toNodeHandler(webhook)
listen(createServer((request, response) => void handle(request, response)))
