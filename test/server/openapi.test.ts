import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Permanent } from 'fusewire'
import { sample } from 'fusewire/testing'
import { expect, test, vi } from 'vitest'
import { openApiDocument } from '../../src/server/api/openapi-document.ts'
import { refusals } from '../../src/server/api/refusal.ts'
import { type Asking, operator, reader, type Rig, rig, type Told } from './rig.ts'

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: object }>>
}

const document = JSON.parse(JSON.stringify(openApiDocument())) as Document // OpenAPI, as the first test holds.

/** The document, allowing no member that it does not name: what the server answers must be described in full. */
const ajv = new Ajv2020({ strict: false, allErrors: true })
ajv.addSchema(closed(document) as object, 'document')

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closed(one)]))
  return 'properties' in copy && 'type' in copy ? { ...copy, additionalProperties: false } : copy
}

/** Says what an answer and the document disagree on. */
function difference(path: string, method: string, { status, headers, text }: Told): unknown {
  const response = document.paths[path]?.[method]?.responses[status]
  if (response === undefined) return `${status} is not described`
  const [type = ''] = (headers.get('content-type') ?? '').split(';')
  if (!(type in response.content)) return `${type} is not described`
  if (type !== 'application/json' || path === '/openapi.json') return undefined
  const at = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'].map((part) =>
    encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')),
  )
  const validate = ajv.compile({ $ref: `document#/${at.join('/')}` })
  return validate(JSON.parse(text)) ? undefined : validate.errors
}

const created = sample('user.create.complete', {
  id: '11111111-1111-4111-8111-111111111111',
  createInstant: Date.now(),
})
const deleted = sample('user.delete.complete', {
  id: '22222222-2222-4222-8222-222222222222',
  createInstant: Date.now(),
})

/** A server whose inbox has an event of each kind: handled, dead, waiting for its next attempt, refused; and receipts. */
async function used(): Promise<Rig> {
  const server = await rig((webhook) => {
    webhook.on('user.create.complete', { name: 'welcome' }, () => {})
    webhook.on('user.delete.complete', { name: 'crm' }, () => {
      throw new Permanent('the CRM said no')
    })
    webhook.on('user.update.complete', { name: 'sync' }, () => {
      throw new Error('try again')
    })
    webhook.gate('user.create', () => {
      throw new Error('not this one')
    })
  })
  await server.send(created)
  await server.send(deleted)
  await server.send(sample('user.update.complete', { createInstant: Date.now() }))
  await server.send(sample('user.create', { createInstant: Date.now() }))
  await server.send([])
  await expect
    .poll(async () => {
      const { handlers } = await server.webhook.inbox.stats()
      return [
        handlers.find(({ handler }) => handler === 'crm')?.dead,
        handlers.find(({ handler }) => handler === 'sync')?.blocked.length,
      ]
    })
    .toEqual([1, 1])
  await expect.poll(async () => (await server.webhook.inbox.receipts()).items.length).toBeGreaterThan(0)
  return server
}

const post = (body: object): Asking => ({ method: 'POST', body: JSON.stringify(body) })
const api = '/fusewire/api'

/** Requests that succeed, at least one for each operation, in an order in which each has something to answer. */
const successes: readonly (readonly [path: string, target: string, asking?: Asking])[] = [
  ['/livez', '/livez'],
  ['/readyz', '/readyz'],
  ['/metrics', '/metrics'],
  ['/openapi.json', '/openapi.json'],
  [`${api}/events`, `${api}/events?limit=1`],
  [`${api}/events`, `${api}/events?state=dead&state=refused&receivedAfter=0&order=oldest`],
  [`${api}/events/{id}`, `${api}/events/${created.id}`],
  [`${api}/deliveries`, `${api}/deliveries`],
  [`${api}/dead-letters`, `${api}/dead-letters?handler=crm`],
  [`${api}/receipts`, `${api}/receipts?limit=1`],
  [`${api}/stats`, `${api}/stats`],
  [`${api}/nodes`, `${api}/nodes`],
  [`${api}/stream`, `${api}/stream`, { method: 'HEAD' }],
  [`${api}/events/{id}/reveal`, `${api}/events/${created.id}/reveal`, post({})],
  [`${api}/export`, `${api}/export`, post({ type: ['user.create.complete', 'user.delete.complete'] })],
  [`${api}/replay`, `${api}/replay`, post({ state: 'dead' })],
  [`${api}/prune`, `${api}/prune`, post({ before: '2100-01-01', dead: true })],
  [`${api}/events`, `${api}/events?type=user.create.complete`],
  [`${api}/erase`, `${api}/erase`, post({ userId: created.user.id })],
]

const methodOf = (asking: Asking | undefined) => (asking?.method === 'POST' ? 'post' : 'get')

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  const { valid, errors } = await validator.validate(structuredClone(document) as never)
  expect([valid, errors]).toEqual([true, undefined])
  expect(validator.version).toBe('3.1')
})

test('every route answers as the document says', async () => {
  await using server = await used()
  const asked = new Set<string>()
  for (const [path, target, asking] of successes) {
    const told = await server.ask(target, asking)
    expect([target, told.status, difference(path, methodOf(asking), told)]).toEqual([target, 200, undefined])
    asked.add(`${methodOf(asking)} ${path}`)
  }
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  expect([...asked].toSorted()).toEqual(described.toSorted())
})

test('every error is answered as the document says', async () => {
  await using server = await used()
  const codes = new Set<string>()
  const get = [`${api}/events`, `${api}/events?limit=0`] as const
  const failures: readonly (readonly [code: string, path: string, target: string, asking?: Asking])[] = [
    ['badRequest', ...get],
    ['badRequest', `${api}/stats`, `${api}/stats?type=user.create`],
    ['badRequest', `${api}/prune`, `${api}/prune`, post({})],
    ['duplicateHeader', ...get, { headers: { authorization: [`Bearer ${operator}`, `Bearer ${reader}`] } }],
    ['invalidJSON', `${api}/replay`, `${api}/replay`, { ...post({}), body: '[]' }],
    ['notAuthorized', ...get, { token: undefined }],
    ['foreignOrigin', ...get, { headers: { origin: 'https://evil.example' } }],
    ['scope', `${api}/replay`, `${api}/replay`, { ...post({ state: 'dead' }), token: reader }],
    ['noEvent', `${api}/events/{id}`, `${api}/events/nothing`],
    ['noEvent', `${api}/events/{id}/reveal`, `${api}/events/nothing/reveal`, post({})],
    ['gone', `${api}/events/{id}/reveal`, `${api}/events/${created.id}/reveal`, post({})],
    ['tooLarge', `${api}/replay`, `${api}/replay`, post({ type: 'x'.repeat(70_000) })],
    [
      'mediaType',
      `${api}/replay`,
      `${api}/replay`,
      { ...post({}), headers: { 'content-type': 'text/plain' } },
    ],
    ['misdirected', ...get, { headers: { host: 'evil.example' } }],
  ]
  const { body: _, event: __, ...withoutBody } = (await server.webhook.inbox.get(created.id)) ?? expect.fail()
  const lookUp = vi.spyOn(server.webhook.inbox, 'get')
  for (const [code, path, target, asking] of failures) {
    if (code === 'gone') lookUp.mockResolvedValueOnce({ ...withoutBody, gone: 'pruned' }) // The engine in memory keeps no such event.
    const told = await server.ask(target, asking)
    expect([target, JSON.parse(told.text).errors[0].code]).toEqual([target, `[${code}]`])
    expect([target, difference(path, methodOf(asking), told)]).toEqual([target, undefined])
    const described = document.paths[path]?.[methodOf(asking)]?.responses[told.status]?.description
    expect(described).toContain(`\`[${code}]\``)
    codes.add(code)
  }
  // api.test.ts, stream.test.ts and server.test.ts meet these.
  for (const elsewhere of ['notFound', 'noInbox', 'tooManyStreams', 'unavailable']) codes.add(elsewhere)
  expect([...codes].toSorted()).toEqual(Object.keys(refusals).toSorted())
})

test('lines of an export and messages of the stream are as the document says', async () => {
  await using server = await used()
  const { text } = await server.ask(`${api}/export`, post({}))
  const lines = text.trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(2)
  for (const line of lines) expectFits('ExportLine', JSON.parse(line))

  const controller = new AbortController()
  const { body } = await fetch(`${server.server.adminUrl}${api}/stream`, {
    headers: { authorization: `Bearer ${reader}` },
    signal: controller.signal,
  })
  await server.send(sample('user.create.complete', { createInstant: Date.now() }))
  await server.send(sample('user.delete.complete', { createInstant: Date.now() }))
  await server.send([])
  const seen: string[] = []
  for await (const chunk of body ?? []) {
    for (const [, kind = '', data = ''] of Buffer.from(chunk)
      .toString()
      .matchAll(/^event: (\w+)\ndata: (.*)$/gm)) {
      expectFits(kind === 'receipt' ? 'StreamReceipt' : 'StreamAttempt', JSON.parse(data))
      seen.push(kind)
    }
    if (
      seen.filter((kind) => kind === 'attempt').length >= 2 &&
      seen.filter((kind) => kind === 'receipt').length >= 3
    )
      break
  }
  controller.abort()
})

function expectFits(component: string, value: unknown): void {
  const validate = ajv.compile({ $ref: `document#/components/schemas/${component}` })
  validate(value)
  expect(validate.errors).toBeNull()
}

test('a server gives its document to a token that may look', async () => {
  await using server = await rig()
  expect((await server.ask('/openapi.json', { token: undefined })).status).toBe(401)
  const { status, text } = await server.ask('/openapi.json', { token: reader })
  expect([status, JSON.parse(text)]).toEqual([200, document])
})
