import { createServer } from 'node:http'
import { imported } from '../lib/build.ts'
import { listen } from '../lib/program.ts'
import { type } from './events.ts'
import { newFile } from './file.ts'
import { secret } from './key.ts'
import { silent } from './silent.ts'

const { signature, Webhook } = await imported('.')
const { toNodeHandler } = await imported('./node')
const { sqlite } = await imported('./sqlite')
const [, , file = newFile()] = process.argv

// Not started: the deliveries are written with each event, and wait.
const webhook = new Webhook({
  authenticate: signature({ secret }),
  inbox: sqlite(file, { allowVolatile: true }),
  log: silent,
})
webhook.on(type, { name: 'a' }, () => {})

const handle = toNodeHandler(webhook)
listen(createServer((request, response) => void handle(request, response)))
