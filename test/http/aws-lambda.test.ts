import type {
  ALBHandler,
  APIGatewayProxyHandler,
  APIGatewayProxyHandlerV2,
  LambdaFunctionURLHandler,
} from 'aws-lambda'
import { expect, test } from 'vitest'
import { check, allOf, signature, Webhook } from 'fusewire'
import { type LambdaEvent, toLambdaHandler } from 'fusewire/aws-lambda'
import { sample, sign } from 'fusewire/testing'

const secret = 'a secret of thirty-two bytes ...'
const log = { info: () => {}, warn: () => {}, error: () => {} }

function newHandler() {
  const handled: string[] = []
  const addresses: (string | undefined)[] = []
  const address = check('address', ({ remoteAddress }) => addresses.push(remoteAddress) > 0)
  const webhook = new Webhook({ authenticate: allOf(signature({ secret }), address), inbox: 'none', log })
  webhook.on('user.create.complete', ({ event }) => void handled.push(String(event.user.firstName)))
  return { handle: toLambdaHandler(webhook), handled, addresses }
}

const text = JSON.stringify({ event: sample('user.create.complete', { user: { firstName: 'Zoë 🎈' } }) })
const headers = {
  'content-type': 'application/json',
  'content-length': String(Buffer.byteLength(text)),
  host: 'abcdefghij.lambda-url.eu-west-1.on.aws',
  'x-forwarded-for': '203.0.113.7',
  'x-fusionauth-signature-jwt': sign(text, { secret }),
}
const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
const gatewayV2 = {
  version: '2.0',
  routeKey: 'POST /fusionauth-webhook',
  rawPath: '/fusionauth-webhook',
  rawQueryString: '',
  headers,
  requestContext: {
    accountId: '123456789012',
    apiId: 'abcdefghij',
    domainName: 'abcdefghij.execute-api.eu-west-1.amazonaws.com',
    http: {
      method: 'POST',
      path: '/fusionauth-webhook',
      protocol: 'HTTP/1.1',
      sourceIp: '203.0.113.7',
      userAgent: 'FusionAuth',
    },
    requestId: 'JKJaXmPLvHcESHA=',
    stage: '$default',
    timeEpoch: 1583348638390,
  },
  body: text,
  isBase64Encoded: false,
}
const gatewayV1 = {
  resource: '/fusionauth-webhook',
  path: '/fusionauth-webhook',
  httpMethod: 'POST',
  headers,
  multiValueHeaders: lists,
  queryStringParameters: null,
  requestContext: { accountId: '123456789012', stage: 'prod', identity: { sourceIp: '203.0.113.7' } },
  body: text,
  isBase64Encoded: false,
}
const balancer = {
  requestContext: {
    elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b' },
  },
  httpMethod: 'POST',
  path: '/fusionauth-webhook',
  headers,
  body: text,
  isBase64Encoded: false,
}
const { headers: _, ...headless } = balancer
const base64 = { body: Buffer.from(text).toString('base64'), isBase64Encoded: true }

test.each<[string, LambdaEvent, string | undefined]>([
  ['an HTTP API or a function URL', gatewayV2, '203.0.113.7'],
  ['the same, in base64', { ...gatewayV2, ...base64 }, '203.0.113.7'],
  ['a REST API', gatewayV1, '203.0.113.7'],
  ['a REST API, in base64', { ...gatewayV1, ...base64 }, '203.0.113.7'],
  ['a load balancer', balancer, undefined],
  ['a load balancer that sends lists', { ...headless, multiValueHeaders: lists }, undefined],
])('takes the exact bytes of %s', async (_name, event, address) => {
  const { handle, handled, addresses } = newHandler()
  expect(await handle(event)).toMatchObject({ statusCode: 200, body: '' })
  expect(handled).toEqual(['Zoë 🎈'])
  expect(addresses).toEqual([address])
})

test('answers in lists where lists are asked for', async () => {
  const { handle } = newHandler()
  const { 'x-fusionauth-signature-jwt': __, ...unsigned } = lists
  expect(await handle({ ...headless, multiValueHeaders: unsigned })).toEqual({
    statusCode: 401,
    headers: { 'content-type': 'application/json' },
    multiValueHeaders: { 'content-type': ['application/json'] },
    body: '{"errors":[{"code":"[notAuthorized]"}]}',
  })
})

test.each<[string, LambdaEvent, number]>([
  ['another body', { ...gatewayV2, body: `${text} ` }, 401],
  ['no headers', { ...gatewayV2, headers: {} }, 415],
  [
    'two signatures',
    {
      ...gatewayV1,
      multiValueHeaders: { ...lists, 'x-fusionauth-signature-jwt': [sign(text, { secret }), 'x'] },
    },
    401,
  ],
  ['GET', { ...gatewayV2, requestContext: { http: { method: 'GET', sourceIp: '203.0.113.7' } } }, 405],
  ['nothing at all', {}, 405],
])('refuses %s', async (_name, event, status) => {
  const { handle, handled } = newHandler()
  expect((await handle(event)).statusCode).toBe(status)
  expect(handled).toEqual([])
})

test('fits the types of the runtime', () => {
  const { handle } = newHandler()
  const handlers: [APIGatewayProxyHandlerV2, LambdaFunctionURLHandler, APIGatewayProxyHandler, ALBHandler] = [
    handle,
    handle,
    handle,
    handle,
  ]
  expect(handlers).toHaveLength(4)
})
