import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { sample } from 'fusewire/testing'
import { anyServer, query, schema } from './postgres/server.ts'
test('disk', async () => {
  await using server = await anyServer()
  await using inbox = await schema(server)
  const key = 'a key for measuring disk use....'
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: postgres(server.url, { schema: inbox.name }), retention: 'none' })
  webhook.on('user.update.complete', () => {})
  const users = Array.from({ length: 2000 }, () => randomUUID())
  const n = 4000
  let bytes = 0
  for (let i = 0; i < n; i += 64)
    await Promise.all(Array.from({ length: Math.min(64, n - i) }, async (_, j) => {
      const event: any = sample('user.update.complete', { user: { id: users[(i + j) % 2000]! } } as any)
      delete event.original
      event.user.data = { notes: randomUUID().repeat(Number(process.env.REP ?? 0)) }
      const body = JSON.stringify({ event }); bytes += body.length
      const r = await webhook.fetch(new Request('http://x/', { method: 'POST', headers: { authorization: key, 'content-type': 'application/json' }, body }))
      if (r.status !== 200) { await new Promise((f) => setTimeout(f, 500)) }
    }))
  const size = async (what: string) => {
    const rows = await query(server.url, `select sum(pg_total_relation_size(c.oid))::text as t from pg_class c where c.relnamespace = $1::regnamespace and c.relkind = 'r'`, [inbox.name])
    console.log(what, 'body', Math.round(bytes / n), 'per event', Math.round(Number(rows[0]!['t']) / n))
  }
  await size('kept')
  await webhook.drain()
  await query(server.url, 'vacuum full'); await size('handled, vacuum full')
  await webhook.inbox.prune({ before: new Date(Date.now() + 60_000) })
  await query(server.url, 'vacuum full'); await size('pruned, vacuum full')
  await webhook.stop()
}, 400_000)
