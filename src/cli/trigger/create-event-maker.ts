import { randomUUID } from 'node:crypto'
import { sampleEvent } from '../../events/samples/sample-event.ts'
import { isObject, type JsonObject } from '../../lib/json-object.ts'
import { knownType } from '../known-type.ts'
import { misused } from '../failure.ts'
import { readJsonObject } from '../read-bytes.ts'
import { text } from '../text.ts'
import { overlay } from './overlay.ts'

/** Returns a function that makes an event at each call, with a new id unless `set` gives one. */
export function createEventMaker(
  type: string,
  data: string | undefined,
  set: readonly string[],
): () => JsonObject {
  const given = data === undefined ? undefined : eventIn(readJsonObject(data, '--data'))
  if (given !== undefined && given['type'] !== type) {
    throw misused(text`--data holds an event of the type ${String(given['type'])}, not ${type}.`)
  }
  const known = given === undefined ? knownType(type) : undefined
  return () => {
    const event = structuredClone(given) ?? { ...(known && sampleEvent(known)) }
    Object.assign(event, { id: randomUUID(), createInstant: Date.now() })
    overlay(event, set)
    return event
  }
}

function eventIn(json: JsonObject): JsonObject {
  return isObject(json['event']) ? json['event'] : json
}
