import { isEventType } from '../../events/catalogue.ts'
import { sampleEvent } from '../../events/samples/sample-event.ts'
import { fields, isFields, text, whole, type Fields } from '../fields.ts'
import type { Webhook } from '../state/tables.ts'
import { faultKinds, type Fault } from '../system/faults.ts'
import { notFoundError, ok, Problems } from './api-response.ts'
import { post, put, remove, type Call, type Route } from './route.ts'

/*
 * Paths of the emulator's own, for what FusionAuth offers on pages of its console, or not at all.
 */

function webhookOf(call: Call): Webhook {
  const webhook = call.state.rows.webhooks.get(call.params['webhookId'] ?? '')
  if (webhook === undefined) throw notFoundError()
  return webhook
}

/** Sends a sample of a type, or the event in the body, to one webhook. Like FusionAuth's test page. */
async function test(call: Call) {
  const webhook = webhookOf(call)
  const written = fields(call.body['event'])
  const type = text(written['type']) ?? text(call.body['type']) ?? ''
  if (!isEventType(type)) {
    const problems = new Problems()
    problems.add('type', 'invalid', `[${type}] is not an event type.`)
    problems.throwIfAny()
    throw notFoundError()
  }
  const event: Fields = isFields(call.body['event']) ? written : { ...sampleEvent(type) }
  const { statusCode, exception, answer, ms } = await call.state.events.test(webhook, { type, fields: event })
  return ok({ webhookCallResponse: { url: webhook.url, statusCode, exception }, answer, ms })
}

function setFault(call: Call) {
  const webhook = webhookOf(call)
  call.state.events.sender.faults.set(webhook.id, faultOf(fields(call.body['fault'])))
  return ok()
}

function faultOf({ kind, ms, status, times }: Fields): Fault {
  const problems = new Problems()
  const known = faultKinds.find((one) => one === kind)
  if (known === undefined) problems.add('fault.kind', 'invalid', `One of ${faultKinds.join(', ')}.`)
  if (kind === 'delay' && whole(ms) === undefined) problems.blank('fault.ms')
  problems.throwIfAny()
  const often = whole(times) === undefined ? {} : { times: Number(times) }
  if (known === 'delay') return { kind: known, ms: Number(ms), ...often }
  if (known === 'status') return { kind: known, status: whole(status) ?? 503, ...often }
  return { kind: known ?? 'drop', ...often }
}

export const emulatorRoutes: readonly Route[] = [
  post('/emulator/test/:webhookId', test),
  put('/emulator/fault/:webhookId', setFault),
  remove('/emulator/fault/:webhookId', (call) => {
    call.state.events.sender.faults.clear(webhookOf(call).id)
    return ok()
  }),
]
