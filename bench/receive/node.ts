import { createServer } from 'node:http'
import { listen } from '../lib/program.ts'

// The least that is still a receiver: reads the body, parses it, answers 200. Asks nobody who they are.
listen(
  createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { event } = JSON.parse(Buffer.concat(chunks).toString())
      response.statusCode = event.type === 'user.delete' ? 200 : 400
      response.end()
    })
  }),
)
