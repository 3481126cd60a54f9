import { createServer } from 'node:http'
import { imported } from '../lib/build.ts'
import { listen } from '../lib/program.ts'
import { key } from './key.ts'

const { apiKey, Webhook } = await imported('.')
const { toNodeHandler } = await imported('./node')

const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none' })
webhook.on('user.delete', { when: 'received' }, () => {})
await webhook.start()

const handle = toNodeHandler(webhook)
listen(createServer((request, response) => void handle(request, response)))
