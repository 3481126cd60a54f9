import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { listen } from '../lib/program.ts'
import { newFile } from './file.ts'
import { secret } from './key.ts'

const db = new DatabaseSync(newFile())
db.exec('pragma journal_mode = wal')
db.exec('pragma synchronous = full')
db.exec('create table events (id text primary key, body text not null)')
const insert = db.prepare('insert or ignore into events (id, body) values (?, ?)')

// What one writes first: verify, then one durable insert for each request.
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
      const text = body.toString()
      if (good) insert.run(JSON.parse(text).event.id, text)
      response.writeHead(good ? 200 : 401, { 'content-length': 0 })
      response.end()
    })
  }),
)
