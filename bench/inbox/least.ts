import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { listen } from '../lib/program.ts'
import { secret } from './key.ts'

// The least any receiver of signed events must do: read, SHA-256, HMAC, JSON.parse, answer. Nothing is stored.
listen(
  createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const [head, payload, signature] = String(request.headers['x-fusionauth-signature-jwt']).split('.')
      const expected = createHmac('sha256', secret).update(`${head}.${payload}`).digest()
      const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
      const good =
        timingSafeEqual(expected, Buffer.from(signature ?? '', 'base64url')) &&
        claims.request_body_sha256 === createHash('sha256').update(body).digest('base64')
      const { event } = JSON.parse(body.toString())
      response.writeHead(good && event.type !== undefined ? 200 : 401, { 'content-length': 0 })
      response.end()
    })
  }),
)
