import type { IncomingMessage } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { continueIfAsked } from '../http/hold-continue.ts'
import { answerError, listen, type Listening } from '../http/listen.ts'
import { loopbackNames } from '../lib/loopback.ts'
import { answerProbe } from './answer-probe.ts'
import { guarding } from './guard.ts'
import type { AdminOptions } from './options.ts'
import type { AdminToken } from './tokens.ts'

/** What a route of the admin listener knows beside its request. */
export interface AdminEnv {
  Bindings: { readonly caller: AdminToken }
}

/** Opens the admin listener: every request but a bare probe is guarded before any route is looked for. */
export async function openAdmin(
  app: Hono<AdminEnv>,
  options: AdminOptions,
  port: number,
  isReady: () => boolean,
): Promise<Listening> {
  const { hostname = '127.0.0.1', tokens } = options
  const hosts = new Set(options.hosts?.map((host) => host.toLowerCase()))
  const guard = guarding(() => hosts, tokens)
  const callers = new WeakMap<IncomingMessage, AdminToken>()
  const route = getRequestListener(
    (request, { incoming }) => app.fetch(request, { caller: callers.get(incoming as IncomingMessage) }),
    { overrideGlobalObjects: false },
  )

  const listening = await listen(
    (request, response) => {
      for (const [name, value] of headers) response.setHeader(name, value)
      if (answerProbe(request, response, isReady)) return
      const judged = guard(request)
      if ('status' in judged) {
        if (judged.status === 401) response.setHeader('www-authenticate', 'Bearer')
        return answerError(request, response, judged.status, judged.code, judged.message)
      }
      callers.set(request, judged)
      continueIfAsked(response)
      void route(request, response)
    },
    port,
    hostname,
  )
  for (const host of namesOf(hostname)) hosts.add(`${host}:${listening.port}`)
  return listening
}

/** What it can be called by without being told. A wildcard says no name, so from elsewhere only those of `hosts` count. */
function namesOf(hostname: string): readonly string[] {
  return /^(0\.0\.0\.0|::)$/.test(hostname)
    ? loopbackNames
    : [...loopbackNames, bracketed(hostname.toLowerCase())]
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Nothing here is for a page to show, to keep or to frame. */
const headers: readonly (readonly [string, string])[] = [
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
]
