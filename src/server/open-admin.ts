import type { IncomingMessage } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { continueIfAsked } from '../http/hold-continue.ts'
import { answerError, listen, type Listening } from '../http/listen.ts'
import { loopbackNames } from '../lib/loopback-names.ts'
import { Refusal, refusals } from './api/refusal.ts'
import { answerProbe } from './answer-probe.ts'
import { createGuard } from './create-guard.ts'
import type { AdminOptions } from './options.ts'
import type { AdminToken } from './admin-token.ts'

/** What a route of the admin listener gets with its request. */
export interface AdminEnv {
  Bindings: { readonly caller: AdminToken }
}

/** Opens the admin listener. The guard checks every request before a route is looked for, except probes without a token. */
export async function openAdmin(
  app: Hono<AdminEnv>,
  options: AdminOptions,
  port: number,
  isReady: () => boolean,
): Promise<Listening> {
  const { hostname = '127.0.0.1', tokens } = options
  const hosts = new Set(options.hosts?.map((host) => host.toLowerCase()))
  const guard = createGuard(() => hosts, tokens)
  const callers = new WeakMap<IncomingMessage, AdminToken>()
  const route = getRequestListener(
    (request, { incoming }) => app.fetch(request, { caller: callers.get(incoming as IncomingMessage) }),
    { overrideGlobalObjects: false },
  )

  const listening = await listen(
    (request, response) => {
      for (const [name, value] of headers) response.setHeader(name, value)
      if (answerProbe(request, response, isReady)) return
      const caller = guard(request)
      if (caller instanceof Refusal) {
        const { status } = refusals[caller.code]
        if (status === 401) response.setHeader('www-authenticate', 'Bearer')
        return answerError(request, response, status, caller.code, caller.message)
      }
      callers.set(request, caller)
      continueIfAsked(response)
      void route(request, response)
    },
    port,
    hostname,
  )
  for (const host of namesOf(hostname)) hosts.add(`${host}:${listening.port}`)
  return listening
}

/** Names that need no `hosts` option. A wildcard address names no host, so from other machines only the names of `hosts` work. */
function namesOf(hostname: string): readonly string[] {
  return /^(0\.0\.0\.0|::)$/.test(hostname)
    ? loopbackNames
    : [...loopbackNames, bracketed(hostname.toLowerCase())]
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** No answer may be shown, stored or framed by a web page. */
const headers: readonly (readonly [string, string])[] = [
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
]
