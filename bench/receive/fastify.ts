import Fastify from 'fastify'
import { listen } from '../lib/program.ts'
import { key } from './key.ts'

const app = Fastify()
app.post<{ Body: { event: { type: string } } }>('/fusionauth-webhook', async (request, reply) => {
  if (request.headers.authorization !== key) {
    return reply.code(401).send({ errors: [{ code: '[notAuthorized]' }] })
  }
  return reply.code(request.body.event.type === 'user.delete' ? 200 : 400).send()
})
await app.ready()

listen(app.server)
