import 'reflect-metadata'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve as serveHono } from '@hono/node-server'
import { Controller, Module, Post, Req, Res } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import express5 from 'express'
// @ts-expect-error the types come for one version at a time
import untyped4 from 'express4'
import Fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { describe, expect, test } from 'vitest'
import { signature, Webhook } from 'fusewire'
import { toNodeHandler } from 'fusewire/node'
import { sample, sign } from 'fusewire/testing'

const secret = 'a secret of thirty-two bytes ...'
const path = '/fusionauth-webhook'
const express4 = untyped4 as typeof express5 // What this file uses is the same in both.

/** A webhook that proves it got the exact bytes: it checks their signature. */
function newWebhook() {
  const handled: string[] = []
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const webhook = new Webhook({ authenticate: signature({ secret }), inbox: 'none', log })
  webhook.on('user.create.complete', ({ event }) => void handled.push(event.id))
  return { webhook, handled, handle: toNodeHandler(webhook) }
}

async function send(port: number): Promise<{ status: number; text: string }> {
  const body = JSON.stringify({ event: sample('user.create.complete') }, null, 1)
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-fusionauth-signature-jwt': sign(body, { secret }) },
    body,
  })
  return { status: response.status, text: await response.text() }
}

async function listening(listener: RequestListener): Promise<{ port: number } & AsyncDisposable> {
  return serving(createServer(listener).listen(0, '127.0.0.1'))
}

async function serving(
  server: Pick<Server, 'address' | 'close' | 'closeAllConnections' | 'listening' | 'once'>,
) {
  if (!server.listening) await once(server as Server, 'listening')
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('%s', (_, express) => {
  test('takes the handler before its body parser', async () => {
    const { handle, handled } = newWebhook()
    const app = express()
    app.post(path, (request, response) => void handle(request, response))
    app.use(express.json())
    await using server = await listening(app as unknown as RequestListener)
    expect(await send(server.port)).toEqual({ status: 200, text: '' })
    expect(handled).toHaveLength(1)
  })

  test.each([
    [
      'express.json with verify',
      () =>
        express.json({ verify: (request, _response, bytes) => Object.assign(request, { rawBody: bytes }) }),
    ],
    ['express.raw', () => express.raw({ type: 'application/json' })],
  ])('takes the bytes that %s keeps', async (_name, parser) => {
    const { handle, handled } = newWebhook()
    const app = express()
    app.use(parser())
    app.post(path, (request, response) => void handle(request, response))
    await using server = await listening(app as unknown as RequestListener)
    expect((await send(server.port)).status).toBe(200)
    expect(handled).toHaveLength(1)
  })

  test('is told how to keep the bytes when its parser has eaten them', async () => {
    const { handle, handled } = newWebhook()
    const app = express()
    app.use(express.json())
    app.post(path, (request, response) => void handle(request, response))
    await using server = await listening(app as unknown as RequestListener)
    const { status, text } = await send(server.port)
    expect(status).toBe(500)
    expect(text).toContain('FW_BODY_READ')
    expect(text).toContain('before app.use(express.json())')
    expect(handled).toEqual([])
  })
})

describe('Nest', () => {
  async function start(rawBody: boolean) {
    const { handle, handled } = newWebhook()
    class Receiving {
      receive(request: Parameters<typeof handle>[0], response: Parameters<typeof handle>[1]) {
        return handle(request, response)
      }
    }
    // Decorators by hand: stripping types leaves no place for their syntax.
    const method = Object.getOwnPropertyDescriptor(Receiving.prototype, 'receive') ?? {}
    Post(path)(Receiving.prototype, 'receive', method)
    Req()(Receiving.prototype, 'receive', 0)
    Res()(Receiving.prototype, 'receive', 1)
    Controller()(Receiving)
    class App {}
    Module({ controllers: [Receiving] })(App)
    const app = await NestFactory.create(App, { rawBody, logger: false })
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    return { port, handled, [Symbol.asyncDispose]: () => app.close() }
  }

  test('hands over the bytes it keeps with rawBody', async () => {
    await using app = await start(true)
    expect((await send(app.port)).status).toBe(200)
    expect(app.handled).toHaveLength(1)
  })

  test('is told of rawBody when it keeps none', async () => {
    await using app = await start(false)
    const { status, text } = await send(app.port)
    expect(status).toBe(500)
    expect(text).toContain('rawBody: true')
    expect(app.handled).toEqual([])
  })
})

test('Koa lets the handler answer', async () => {
  const { handle, handled } = newWebhook()
  const koa = new Koa()
  koa.use(async (context) => {
    context.respond = false
    await handle(context.req, context.res)
  })
  await using server = await listening(koa.callback() as RequestListener)
  expect((await send(server.port)).status).toBe(200)
  expect(handled).toHaveLength(1)
})

test('Hono hands over its Request', async () => {
  const { webhook, handled } = newWebhook()
  const app = new Hono()
  app.post(path, (context) => webhook.fetch(context.req.raw))
  await using server = await serving(
    serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server,
  )
  expect((await send(server.port)).status).toBe(200)
  expect(handled).toHaveLength(1)
})

test('Fastify hands over its raw request when it is kept from parsing', async () => {
  const { handle, handled } = newWebhook()
  const fastify = Fastify()
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null))
  fastify.post(path, async (request, reply) => {
    reply.hijack()
    await handle(request.raw, reply.raw)
  })
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  const { port } = fastify.server.address() as AddressInfo // A listening TCP server has one.
  expect((await send(port)).status).toBe(200)
  expect(handled).toHaveLength(1)
  await fastify.close()
})

test('a route of Next.js is the bound fetch', async () => {
  const { webhook, handled } = newWebhook()
  const POST: (request: Request, context: { params: Promise<object> }) => Promise<Response> = webhook.fetch
  const body = JSON.stringify({ event: sample('user.create.complete') })
  const headers = { 'content-type': 'application/json', 'x-fusionauth-signature-jwt': sign(body, { secret }) }
  const request = new Request(`http://localhost${path}`, { method: 'POST', headers, body })
  expect((await POST(request, { params: Promise.resolve({}) })).status).toBe(200)
  expect((await POST(request, { params: Promise.resolve({}) })).status).toBe(500)
  expect(handled).toHaveLength(1)
})
