import { newFile } from '../inbox/file.ts'
import { secret } from '../inbox/key.ts'
import { imported } from '../lib/build.ts'
import { tellPort } from '../lib/program.ts'

/** What somebody writes who serves the package alone. */
const { Webhook, signature } = await imported('.')
const { serve } = await imported('./node')
const { sqlite } = await imported('./sqlite')

const inbox = sqlite(newFile(), { allowVolatile: true })
const webhook = new Webhook({ authenticate: signature({ secret }), inbox })
const { url } = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
tellPort(Number(new URL(url).port))
