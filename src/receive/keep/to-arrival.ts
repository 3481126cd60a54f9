import { textsAt, valuesAt } from '../../events/values-at.ts'
import { loginIdPaths, placesOf } from '../../events/places.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { ParsedEvent } from '../../model/registered-handler.ts'
import { applicationsOf } from '../../model/wants.ts'
import type { ReceivedEvent } from './received-event.ts'
import type { Body } from '../read-body.ts'
import { canonicalId } from '../../model/canonical-id.ts'
import { loginSubject } from '../../model/login-subject.ts'

/** The event as the inbox takes it in. Its hash is that of all it said, whatever of it is kept. */
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

export function bodyHash(body: Body): Uint8Array {
  return Buffer.from(body.sha256(), 'base64')
}

/** What an event is about: the events of one user, group or entity are handled in order. */
function laneOf(event: ParsedEvent): string | undefined {
  const { linkedObjectId, userId, actioneeUserId } = event
  const about = [linkedObjectId, valuesAt(event, 'user.id')[0], userId, actioneeUserId]
  return about
    .find((id) => typeof id === 'string' && id !== '')
    ?.toString()
    .toLowerCase()
}

/** Every user id in the event, and the login ids of people whose user id it need not have. Where it has no user id at all: every login id. */
function subjectsOf(event: ParsedEvent): readonly string[] {
  const places = placesOf(event.type)
  const ids = textsAt(event, places.subjects).map(canonicalId)
  const logins = textsAt(event, ids.length > 0 ? places.loginIdsOfOthers : loginIdPaths(places)).map(
    loginSubject,
  )
  return [...new Set([...ids, ...logins])]
}

/** Columns hold printable text of bounded length; the body keeps what was really said. */
export function toColumnText(text: string): string {
  return text.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?')
}
