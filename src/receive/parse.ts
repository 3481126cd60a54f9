import { isUtf8 } from 'node:buffer'
import { canonicalType } from '../events/catalogue.ts'
import { isObject, type JsonObject, parseJsonExactly } from '../lib/json.ts'
import type { ParsedEvent } from '../model/registration.ts'
import { type Answer, refused } from './answer.ts'
import type { Body } from './body.ts'

/**
 * The event in the envelope: JSON in UTF-8 that is `{"event":{"type":"…"}}`, or the test message of FusionAuth's Kafka page, which comes
 * without envelope. Nothing else is asked of it: what an event says is no reason to refuse it.
 */
export function parse(body: Body): ParsedEvent | Answer {
  const { bytes } = body
  if (!isUtf8(bytes)) return refused(400, 'invalidJSON', 'The body is not UTF-8.')
  const json = parseJsonExactly(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
  if (json === undefined) return refused(400, 'invalidJSON', 'The body is not JSON.')
  const event = isObject(json) ? openEnvelope(json) : undefined
  if (event === undefined) return refused(400, 'noEvent', 'The body is not {"event":{…}}.')
  const { type, id, createInstant } = event
  if (typeof type !== 'string' || type === '') return refused(400, 'noType', 'The event has no type.')
  return Object.assign(event, {
    type: canonicalType(type),
    id: typeof id === 'string' && id !== '' ? id : `sha256:${body.sha256().toString('hex')}`,
    createInstant: Number.isSafeInteger(createInstant) ? Number(createInstant) : 0,
  })
}

function openEnvelope(json: JsonObject): JsonObject | undefined {
  if (Object.hasOwn(json, 'event')) return isObject(json['event']) ? json['event'] : undefined
  return json['type'] === 'test' && typeof json['message'] === 'string' ? json : undefined
}
