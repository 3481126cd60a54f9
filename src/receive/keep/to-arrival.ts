import { textsAt, valuesAt } from '../../events/values-at.ts'
import { loginIdPaths, placesOf } from '../../events/places.ts'
import { canonicalId } from '../../model/canonical-id.ts'
import type { Arrival } from '../../model/arrival.ts'
import { loginSubject } from '../../model/login-subject.ts'
import type { ParsedEvent } from '../../model/parsed-event.ts'
import { applicationsOf } from '../../model/wants.ts'
import type { Body } from '../body.ts'
import type { ReceivedEvent } from '../received-event.ts'
import { toColumnText } from './to-column-text.ts'

/** The row to append for an event. `body` is redacted; `hash` is that of the bytes that came, so that a copy is recognised. */
export function toArrival(
  { event, key, body, receivedAt, trace }: ReceivedEvent,
  redact: (event: ParsedEvent, body: Uint8Array) => Uint8Array,
): Arrival {
  const lane = laneOf(event)
  return {
    key,
    type: toColumnText(event.type),
    source: 'door',
    receivedAt: Math.round(receivedAt),
    hash: bodyHash(body),
    body: redact(event, body.bytes),
    ...(lane !== undefined && { lane: canonicalId(`${key.tenantId}/${lane}`) }),
    applicationIds: applicationsOf(event),
    subjects: subjectsOf(event),
    ...(trace !== undefined && { trace }),
  }
}

/** SHA-256, 32 bytes. */
export function bodyHash(body: Body): Uint8Array {
  return Buffer.from(body.sha256(), 'base64')
}

/** The id of the user, group or entity that the event is about: its events are handled in order. */
function laneOf(event: ParsedEvent): string | undefined {
  const { linkedObjectId, userId, actioneeUserId } = event
  const about = [linkedObjectId, valuesAt(event, 'user.id')[0], userId, actioneeUserId]
  return about
    .find((id) => typeof id === 'string' && id !== '')
    ?.toString()
    .toLowerCase()
}

/**
 * The people an event can be found and erased by: every user id in it, and the login ids of people whose user id it may lack. An event
 * without any user id: every login id.
 */
function subjectsOf(event: ParsedEvent): readonly string[] {
  const places = placesOf(event.type)
  const ids = textsAt(event, places.subjects).map(canonicalId)
  const loginPaths = ids.length > 0 ? places.loginIdsOfOthers : loginIdPaths(places)
  const logins = textsAt(event, loginPaths).map(loginSubject)
  return [...new Set([...ids, ...logins])]
}
