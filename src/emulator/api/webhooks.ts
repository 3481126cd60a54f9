import { isEventType } from '../../events/catalogue.ts'
import { fields, isFields, text, texts, whole, word } from '../fields.ts'
import type { Webhook } from '../state/tables.ts'
import { ok, type Problems } from './api-response.ts'
import { isUuid, routesOf, type Reader, type Resource } from './resource.ts'
import { get, post, type Call, type Route } from './route.ts'
import { searchCriteria, matches } from './search-criteria.ts'
import { page } from './page.ts'

const resource: Resource<Webhook> = {
  one: 'webhook',
  many: 'webhooks',
  path: '/api/webhook',
  view: (rows) => rows.webhooks,
  write: (tx, row) => tx.rows.webhooks.put(row),
  erase: (tx, row) => tx.rows.webhooks.remove(row.id),
  read(reader) {
    const { input, base, problems, call } = reader
    const applicationIds = texts(input['applicationIds'])
    return {
      ...base,
      connectTimeout: timeout(reader, 'connectTimeout'),
      data: fields(input['data']),
      description: text(input['description']),
      eventsEnabled: switches(input['eventsEnabled'], problems),
      global: input['global'] === true,
      headers: headers(input['headers'], problems),
      httpAuthenticationPassword: text(input['httpAuthenticationPassword']),
      httpAuthenticationUsername: text(input['httpAuthenticationUsername']),
      readTimeout: timeout(reader, 'readTimeout'),
      signatureConfiguration: signature(reader),
      ...certificate(reader),
      tenantIds: tenantIds(reader),
      ...(call.state.rules.compatibility === '1.36' && { applicationIds }),
      url: url(input['url'], problems),
    }
  },
}

function timeout({ input, problems }: Reader<Webhook>, name: string): number {
  const ms = whole(input[name])
  if (input[name] === undefined || input[name] === null) problems.blank(`webhook.${name}`)
  else if (ms === undefined || ms < 1) {
    problems.add(
      `webhook.${name}`,
      'invalid',
      `The [webhook.${name}] property must be a number of milliseconds.`,
    )
  }
  return ms ?? 1
}

function url(value: unknown, problems: Problems): string {
  const given = text(value)
  if (given === undefined) problems.blank('webhook.url')
  else if (!/^https?:$/.test(URL.parse(given)?.protocol ?? '')) {
    problems.add('webhook.url', 'invalid', 'The [webhook.url] property must be an http or https URL.')
  }
  return given ?? ''
}

function switches(value: unknown, problems: Problems): Record<string, boolean> {
  const entries = Object.entries(fields(value))
  for (const [type, enabled] of entries) {
    if (!isEventType(type) || typeof enabled !== 'boolean') {
      const message = `[${type}] must be an event type and its value a boolean.`
      problems.add('webhook.eventsEnabled', 'couldNotConvert', message)
    }
  }
  return Object.fromEntries(entries.map(([type, enabled]) => [type, enabled === true]))
}

/** Names and values are trimmed. */
function headers(value: unknown, problems: Problems): Record<string, string> {
  const entries = Object.entries(fields(value))
  if (entries.some(([, one]) => typeof one !== 'string')) {
    problems.add('webhook.headers', 'couldNotConvert', 'Every header must be a string.')
  }
  return Object.fromEntries(entries.map(([name, one]) => [name.trim(), String(one).trim()]))
}

function signature({ input, tx, problems }: Reader<Webhook>): Webhook['signatureConfiguration'] {
  if (!isFields(input['signatureConfiguration'])) return { enabled: false }
  const { enabled, signingKeyId } = input['signatureConfiguration']
  const path = 'webhook.signatureConfiguration.signingKeyId'
  const key = typeof signingKeyId === 'string' ? tx.rows.keys.get(signingKeyId) : undefined
  if (signingKeyId === undefined || signingKeyId === null) {
    if (enabled === true) problems.blank(path)
    return { enabled: enabled === true }
  }
  if (key === undefined) problems.add(path, 'invalid', `There is no key with the id [${word(signingKeyId)}].`)
  else if (key.secret === undefined && key.privateKey === undefined) {
    problems.add(path, 'invalid', 'This key cannot sign: it has no private key.')
  }
  return { enabled: enabled === true, signingKeyId: text(signingKeyId) }
}

/** A PEM of its own or, since 1.48, a key with a certificate; not both. */
function certificate({ input, tx, problems }: Reader<Webhook>) {
  const sslCertificate = text(input['sslCertificate'])
  const sslCertificateKeyId = text(input['sslCertificateKeyId'])
  const path = 'webhook.sslCertificateKeyId'
  if (sslCertificateKeyId !== undefined) {
    if (sslCertificate !== undefined) problems.add(path, 'notAllowed', 'Specify one certificate, not two.')
    if (tx.rows.keys.get(sslCertificateKeyId)?.certificate === undefined) {
      problems.add(path, 'invalid', `There is no key with the id [${sslCertificateKeyId}] and a certificate.`)
    }
  }
  return { sslCertificate, sslCertificateKeyId }
}

function tenantIds({ input, tx, problems }: Reader<Webhook>): readonly string[] {
  if (input['tenantIds'] === undefined || input['tenantIds'] === null) return []
  const ids = texts(input['tenantIds'])
  const unknown = ids.find((id) => !isUuid(id) || tx.rows.tenants.get(id.toLowerCase()) === undefined)
  if (unknown !== undefined) {
    problems.add('webhook.tenantIds', 'invalid', `There is no Tenant with the id [${unknown}].`)
  }
  return ids.map((id) => id.toLowerCase())
}

function search(call: Call) {
  const criteria = searchCriteria(call)
  const tenantId = text(criteria['tenantId'])
  const rows = call.state.rows.webhooks
    .all()
    .filter((row) => matches(criteria['description'], row.description) && matches(criteria['url'], row.url))
    .filter((row) => tenantId === undefined || row.global || row.tenantIds.includes(tenantId))
  const orderable = ['description', 'id', 'insertInstant', 'url']
  const result = page(rows, criteria, orderable, 'insertInstant DESC, id DESC')
  return ok({ total: result.total, webhooks: result.rows })
}

export const webhooks: readonly Route[] = [
  get('/api/webhook/search', search),
  post('/api/webhook/search', search),
  ...routesOf(resource),
]
