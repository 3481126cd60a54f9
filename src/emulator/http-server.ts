import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isCrossOrigin } from '../lib/is-cross-origin.ts'
import { readText } from '../lib/read-text.ts'
import type { Fields } from './fields.ts'
import { callApi } from './api/call-api.ts'
import { generalError, type ApiResponse } from './api/api-response.ts'
import type { EmulatorState } from './emulator-state.ts'

/** The host names, with port, by which requests may call this server. Others are refused, so that a web page cannot reach it by DNS rebinding. */
export type Hosts = () => ReadonlySet<string>

const bodyLimit = 16 * 1_048_576

/** The emulator's HTTP server. `current` is called for every request, because a reset replaces the state. */
export function createHttpServer(
  current: () => EmulatorState,
  hosts: Hosts,
  reset: () => Promise<void>,
): Server {
  return createServer((request, response) => {
    respondTo(request, current, hosts(), reset)
      // A defect of the emulator, or a closed connection. FusionAuth's 500 is empty too.
      .catch((): ApiResponse => ({ status: 500 }))
      .then((answer) => send(response, answer))
      .catch(() => response.destroy())
  })
}

async function respondTo(
  request: IncomingMessage,
  current: () => EmulatorState,
  hosts: ReadonlySet<string>,
  reset: () => Promise<void>,
): Promise<ApiResponse> {
  const { method = 'GET', url = '/', headers } = request
  if (!hosts.has(headers.host?.toLowerCase() ?? '')) return { status: 421 }
  if (isCrossOrigin(headers, hosts)) return { status: 403 }
  const read = await bodyOf(request)
  if ('answer' in read) return read.answer
  const { authorization } = headers
  const asked = {
    method,
    url: url.startsWith('/') ? url : '/',
    body: read.body,
    authorization,
    tenantId: headers['x-fusionauth-tenantid']?.toString(),
    info: infoOf(request),
  }
  if (method === 'POST' && url === '/emulator/reset') {
    const [key] = current().rows.apiKeys.by('uniqueKey', authorization ?? '')
    if (key === undefined) return { status: 401 }
    await reset()
    return { status: 200 }
  }
  return callApi(current(), asked)
}

type Read = { readonly body: unknown } | { readonly answer: ApiResponse }

/** The JSON of a request, or the fields of an OAuth form. A body of another type is not read. */
async function bodyOf(request: IncomingMessage): Promise<Read> {
  const { headers } = request
  const length = headers['content-length']
  if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0'))
    return { body: undefined }
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  const form = type === 'application/x-www-form-urlencoded' && request.url?.startsWith('/oauth2/') === true
  const json = /^application\/(json|json-patch\+json|merge-patch\+json)$/i.test(type.trim())
  if (!form && !json) return { answer: { status: 415 } }
  if (Number(length) > bodyLimit) return { answer: { status: 413 } }
  const body = await readText(request as AsyncIterable<Buffer>, bodyLimit) // Without an encoding a request yields buffers.
  if (body === undefined) return { answer: { status: 413 } }
  if (form) return { body: Object.fromEntries(new URLSearchParams(body)) }
  try {
    return { body: JSON.parse(body) as unknown }
  } catch {
    return { answer: generalError('[invalidJSON]', 'The request body is not valid JSON.').answer }
  }
}

function infoOf({ socket, headers }: IncomingMessage): Fields {
  return {
    ipAddress: socket.remoteAddress?.replace(/^::ffff:/, ''),
    userAgent: headers['user-agent'],
    data: {},
  }
}

function send(response: ServerResponse, { status, body }: ApiResponse): void {
  // The rest of a refused request's body is not read.
  if (!response.req.complete) response.setHeader('connection', 'close')
  response.statusCode = status
  if (body === undefined) {
    response.setHeader('content-length', 0)
    response.end()
    return
  }
  const bytes = Buffer.from(JSON.stringify(body))
  response.setHeader('content-type', 'application/json;charset=utf-8')
  response.setHeader('content-length', bytes.length)
  response.end(bytes)
}
