import { createServer } from 'node:http'
import { imported } from '../lib/build.ts'
import { listen } from '../lib/program.ts'

// The emulator with a number of webhooks at one port. Asked over HTTP, it sends events for a while and says how many.
const { emulate } = await imported('./emulator')
const [, , receivers = '1', port = ''] = process.argv
const fusionauth = await emulate()
for (let n = 0; n < Number(receivers); n += 1) {
  await fusionauth.connect(`http://127.0.0.1:${port}/${n}`, { types: ['user.update'] })
}
fusionauth.level('user.update', 'AbsoluteMajority')

listen(
  createServer((request, response) => {
    const ms = Number(new URL(request.url ?? '/', 'http://bench').searchParams.get('ms'))
    void sendFor(ms).then((sent) => response.end(JSON.stringify(sent)))
  }),
)

async function sendFor(ms: number): Promise<{ events: number; seconds: number }> {
  const startedAt = performance.now()
  let events = 0
  const one = async () => {
    while (performance.now() - startedAt < ms) {
      const { committed } = await fusionauth.send('user.update')
      if (!committed) throw new Error('A receiver refused.')
      events += 1
    }
  }
  await Promise.all(Array.from({ length: 32 }, one))
  return { events, seconds: (performance.now() - startedAt) / 1000 }
}
