/**
 * A webhook as a Lambda function.
 *
 * @module fusewire/aws-lambda
 */
import type { Webhook } from '../webhook/webhook.ts'

/** What a function is called with by a function URL or an API Gateway (payload versions 1 and 2) or a load balancer. */
export interface LambdaEvent {
  /** The method, in payload version 1 and from a load balancer. */
  readonly httpMethod?: string
  /** The headers by name, one value each. */
  readonly headers?: Readonly<Record<string, string | undefined>> | null | undefined
  /** The headers by name with all values, in payload version 1 and from a load balancer that is set so. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null | undefined
  /** The body: text, or base64. */
  readonly body?: string | null
  /** Whether `body` is base64. */
  readonly isBase64Encoded?: boolean
  /** Where the method (payload version 2) and the sender's address are. */
  readonly requestContext?: {
    readonly http?: { readonly method: string; readonly sourceIp: string }
    readonly identity?: { readonly sourceIp: string }
    readonly elb?: unknown
  }
}

/** What a function answers, in the form that all of them read. */
export interface LambdaResult {
  /** The HTTP status. */
  readonly statusCode: number
  /** The headers by name. */
  readonly headers: Record<string, string>
  /** The headers as lists, for a load balancer that sent lists. */
  readonly multiValueHeaders?: Record<string, string[]>
  /** JSON, or empty. */
  readonly body: string
}

/**
 * A webhook as a Lambda function behind a function URL, an API Gateway or a load balancer. Lambda stops the process between requests, so call
 * `webhook.drain` on a schedule, or use `inbox: 'none'`.
 *
 * @example
 * export const handler = toLambdaHandler(webhook)
 */
export function toLambdaHandler(
  webhook: Pick<Webhook, 'receive'>,
): (event: LambdaEvent) => Promise<LambdaResult> {
  return async (event) => {
    const { http, identity } = event.requestContext ?? {}
    const remoteAddress = http?.sourceIp ?? identity?.sourceIp
    const response = await webhook.receive(
      requestOf(event, http?.method ?? event.httpMethod ?? 'GET'),
      remoteAddress === undefined ? {} : { remoteAddress },
    )
    const headers = Object.fromEntries(response.headers)
    const body = await response.text()
    // A load balancer that sends lists of values reads nothing else.
    if (event.multiValueHeaders === undefined || event.multiValueHeaders === null || event.headers) {
      return { statusCode: response.status, headers, body }
    }
    const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
    return { statusCode: response.status, headers, multiValueHeaders: lists, body }
  }
}

function requestOf(event: LambdaEvent, method: string): Request {
  const headers = new Headers()
  // The lists show what was sent twice; without them, the last value won.
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? singles(event.headers))) {
    for (const value of values ?? []) headers.append(name, value)
  }
  const bodyless = method === 'GET' || method === 'HEAD'
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded === true ? 'base64' : 'utf8')
  return new Request('https://lambda.invalid/', {
    method,
    headers,
    ...(!bodyless && { body: new Uint8Array(bytes) }),
  })
}

function singles(headers: LambdaEvent['headers']): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, [value]]])),
  )
}
