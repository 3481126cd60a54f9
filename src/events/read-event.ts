import { isUtf8 } from 'node:buffer'
import { isObject, type JsonObject } from '../lib/json-object.ts'
import { parseJsonExactly } from '../lib/parse-json.ts'
import type { ParsedEvent } from '../model/parsed-event.ts'
import { canonicalType } from './catalogue.ts'

/** Why bytes are not an event: not UTF-8 or not JSON, no `{"event":{…}}`, no type. */
export type NotAnEvent = 'not JSON' | 'no event' | 'no type'

/**
 * The event in a body: JSON in UTF-8 of the form `{"event":{"type":"…"}}`, or the test message of FusionAuth's Kafka page, which has no
 * envelope. Nothing else is checked. A misspelt type that FusionAuth documents gets its real name.
 *
 * @param bodyHash The hash for the id of an event that has none.
 * @param renamed Called with the misspelt type.
 */
export function readEvent(
  bytes: Uint8Array,
  bodyHash: () => string,
  renamed?: (misprint: string) => void,
): ParsedEvent | NotAnEvent {
  if (!isUtf8(bytes)) return 'not JSON'
  const json = parseJsonExactly(textOf(bytes))
  if (json === undefined) return 'not JSON'
  const event = isObject(json) ? openEnvelope(json) : undefined
  if (event === undefined) return 'no event'
  const { type, id, createInstant } = event
  if (typeof type !== 'string' || type === '') return 'no type'
  const realType = canonicalType(type)
  if (realType !== type) {
    renamed?.(type)
    event['type'] = realType
  }
  if (typeof id !== 'string' || id === '') event['id'] = `sha256:${bodyHash()}`
  if (!Number.isSafeInteger(createInstant)) event['createInstant'] = 0
  return event as ParsedEvent // type, id and createInstant were checked or set above.
}

function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString()
}

function openEnvelope(json: JsonObject): Record<string, unknown> | undefined {
  if (Object.hasOwn(json, 'event')) return isObject(json['event']) ? json['event'] : undefined
  return json['type'] === 'test' && typeof json['message'] === 'string' ? json : undefined
}
