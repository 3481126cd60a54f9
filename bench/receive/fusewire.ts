import { createServer } from 'node:http'
import { toNodeHandler } from '../../src/http/node.ts'
import { apiKey, Webhook } from '../../src/index.ts'
import { listen } from '../lib/program.ts'
import { key } from './key.ts'

const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none' })
webhook.on('user.delete', { when: 'received' }, () => {})
await webhook.start()

const handle = toNodeHandler(webhook)
listen(createServer((request, response) => void handle(request, response)))
