import { createServer } from 'node:http'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { signature, Webhook } from '../../src/index.ts'
import { listen } from '../lib/program.ts'
import { newFile } from './file.ts'
import { secret } from './key.ts'

// Not started: the deliveries are written with each event, and wait.
const webhook = new Webhook({
  authenticate: signature({ secret }),
  inbox: sqlite(newFile('fusewire'), { allowVolatile: true }),
})
webhook.on('user.delete.complete', () => {})

const handle = toNodeHandler(webhook)
listen(createServer((request, response) => void handle(request, response)))
