import { randomUUID } from 'node:crypto'
import { apiKey, Webhook, type WebhookOptions } from 'fusewire'
import { type Overrides, sample } from 'fusewire/testing'
import type { EventMap } from 'fusewire'
import { expect } from 'vitest'
import { type KeptLog, keptLog } from './log.ts'
import { type RimName, rims, type Sending, type Told } from './rims.ts'

/** Two marks that no log line and no answer may ever show. */
export const key = 'k3y-that-nobody-may-see-0123456789'
export const mark = 'b0dy-that-nobody-may-see'

/** The headers of a good request. */
export const good = { 'content-type': 'application/json', authorization: key }

/** A body nobody has sent before, with the mark in it. */
export function userDelete(overrides: Overrides<Omit<EventMap['user.delete'], 'type'>> = {}): string {
  const event = sample('user.delete', {
    id: randomUUID(),
    user: { id: 'ada', firstName: mark },
    ...overrides,
  })
  return JSON.stringify({ event })
}

/** A body with exactly these members in its event, and an id of its own. */
export function bodyWith(fields: object): string {
  return JSON.stringify({ event: { id: randomUUID(), createInstant: 1_900_000_000_000, ...fields } })
}

/** A webhook behind one rim. */
export interface Door extends AsyncDisposable {
  /** Sends, and checks what holds for every answer: its form, its silence, and that a refusal ran nothing. */
  send(what: Sending): Promise<Told>
  /** Types of the events that reached a gate or a handler, in order. */
  readonly ran: string[]
  readonly log: KeptLog
  readonly webhook: Webhook<'none'>
}

export interface DoorOptions extends Partial<Omit<WebhookOptions<'none'>, 'log' | 'inbox'>> {
  /** Default: a handler of everything. */
  register?: (webhook: Webhook<'none'>, ran: string[]) => unknown
  /** Further texts nobody may see. */
  hidden?: readonly string[]
}

export async function door(
  rim: RimName,
  { register = everything, hidden = [], ...options }: DoorOptions = {},
): Promise<Door> {
  const log = keptLog()
  const ran: string[] = []
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', ...options, log })
  register(webhook, ran)
  const way = await rims[rim](webhook)
  const secrets = [key, mark, ...hidden]

  return {
    ran,
    log,
    webhook,
    async send(what) {
      const before = ran.length
      const told = await way.send(what)
      if (what.method !== 'HEAD') expectForm(told)
      if (refusals.has(told.status)) expect(ran.slice(before), 'a refused request ran something').toEqual([])
      for (const secret of secrets) expect(told.body).not.toContain(secret)
      return told
    },
    async [Symbol.asyncDispose]() {
      await way[Symbol.asyncDispose]()
      await webhook.stop()
      for (const secret of secrets) expect(log.text()).not.toContain(secret)
      expect(Object.keys(Object.prototype), 'Object.prototype was polluted').toEqual([])
    },
  }
}

const refusals = new Set([400, 401, 405, 408, 413, 415, 503])

/** Success is empty; everything else is FusionAuth's own error form. */
function expectForm({ status, body, headers }: Told): void {
  if (status === 200) return expect(body).toBe('')
  expect(headers.get('content-type')).toBe('application/json')
  expect(JSON.parse(body)).toEqual({
    errors: [
      status === 401
        ? { code: '[notAuthorized]' }
        : { code: expect.stringMatching(/^\[\w+\]$/), message: expect.any(String) },
    ],
  })
}

function everything(webhook: Webhook<'none'>, ran: string[]): void {
  webhook.on('*', { name: 'everything', when: 'received' }, ({ event }) => ran.push(event.type))
}
