import { get, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { Permanent } from 'fusewire'
import { sample } from 'fusewire/testing'
import { createLiveStream } from '../../src/server/create-live-stream.ts'
import { reader, type Rig, rig } from './rig.ts'

/** Listens until it is closed. */
async function listen(
  server: Rig,
): Promise<AsyncDisposable & { readonly status: number; text(): string; readonly ended: Promise<void> }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const url = `${server.server.adminUrl}/fusewire/api/stream`
    get(url, { headers: { authorization: `Bearer ${reader}` }, agent: false }, resolve).on('error', reject)
  })
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const ended = new Promise<void>((resolve) => response.once('close', resolve))
  return {
    status: response.statusCode ?? 0,
    text: () => text,
    ended,
    [Symbol.asyncDispose]: async () => void response.destroy(),
  }
}

/** The messages of a kind. */
function messages(text: string, kind: string): readonly object[] {
  return [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)]
    .filter(([, event]) => event === kind)
    .map(([, , data = '']) => JSON.parse(data))
}

test('tells of requests and attempts while somebody listens, and of no body', async () => {
  await using server = await rig((webhook) => {
    webhook.on('user.create.complete', { name: 'welcome' }, () => {})
    webhook.on('user.delete.complete', { name: 'crm' }, () => {
      throw new Permanent('no')
    })
  })
  await using listener = await listen(server)
  expect(listener.status).toBe(200)
  const event = sample('user.create.complete', { createInstant: Date.now() })
  await server.send(event)
  await server.send([])
  await server.send(sample('user.delete.complete', { createInstant: Date.now() }))
  await expect.poll(() => messages(listener.text(), 'attempt')).toHaveLength(2)
  expect(messages(listener.text(), 'receipt')).toMatchObject([
    { status: 200, outcome: 'kept', type: event.type, id: event.id, tookMs: expect.any(Number) },
    { status: 400, outcome: 'refused', reason: expect.any(String) },
    { status: 200, outcome: 'kept', type: 'user.delete.complete' },
  ])
  expect(messages(listener.text(), 'attempt')).toMatchObject([
    { handler: 'welcome', id: event.id, attempt: 1, outcome: 'succeeded' },
    { handler: 'crm', outcome: 'dead', error: expect.stringContaining('no') },
  ])
  expect(listener.text()).not.toContain(String(event.user.email))
})

test('a thousand streams are not opened, and one that ends makes room', async () => {
  await using server = await rig()
  await using open = new AsyncDisposableStack()
  const listeners = []
  for (let n = 0; n < 40; n++) listeners.push(open.use(await listen(server)))
  expect(listeners.filter(({ status }) => status === 200)).toHaveLength(32)
  expect(listeners.filter(({ status }) => status === 503)).toHaveLength(8)
  await listeners[0]?.[Symbol.asyncDispose]()
  await expect
    .poll(async () => {
      await using one = await listen(server)
      return one.status
    })
    .toBe(200)
})

test('to ask whether there is a stream opens none', async () => {
  await using server = await rig()
  for (let n = 0; n < 40; n++) {
    const { status, headers } = await server.ask('/fusewire/api/stream', { method: 'HEAD', token: reader })
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  }
  await using listener = await listen(server)
  expect(listener.status).toBe(200)
})

test('a stop ends the streams instead of waiting for them', async () => {
  const server = await rig()
  await using listener = await listen(server)
  await server.server.stop()
  await listener.ended
})

test('who does not keep up is told how much is missed, and costs no more memory', async () => {
  const stage = createLiveStream()
  const stream = stage.open()
  for (let n = 0; n < 5000; n++) stage.observer.answered?.({ status: 200, outcome: 'kept' }, 1)
  const reading = stream?.getReader()
  const { value } = (await reading?.read()) ?? {}
  const text = Buffer.from(value ?? []).toString()
  expect(messages(text, 'receipt').length).toBeLessThanOrEqual(1000)
  expect(messages(text, 'missed')).toEqual([{ messages: 5000 - messages(text, 'receipt').length }])
  stage.close()
})
