import { imported } from '../lib/build.ts'
import { key } from './key.ts'
import { handling, work } from './worker-program.ts'

const { apiKey, Webhook } = await imported('.')
const { postgres } = await imported('./postgres')
const [, , database, ms] = process.argv

work((handled) => {
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: postgres(database) })
  webhook.on('user.delete.complete', { name: 'a' }, async () => {
    await handling(Number(ms))
    handled()
  })
  return webhook.start()
})
