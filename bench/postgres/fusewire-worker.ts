import { postgres } from '../../src/engines/postgres/index.ts'
import { apiKey, Webhook } from '../../src/index.ts'
import { key } from './key.ts'
import { handling, work } from './worker-program.ts'

const [, , database, ms] = process.argv

work((handled) => {
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: postgres(database) })
  webhook.on('user.delete.complete', { name: 'a' }, async () => {
    await handling(Number(ms))
    handled()
  })
  return webhook.start()
})
