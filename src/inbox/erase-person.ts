import { loginIdsIn } from '../events/places.ts'
import { readEvent } from '../events/read-event.ts'
import { textsAt } from '../events/values-at.ts'
import type { Clock } from '../lib/clock.ts'
import { canonicalId } from '../model/canonical-id.ts'
import type { Scrubbed } from '../model/erased-step.ts'
import type { Filter } from '../model/filter.ts'
import { loginSubject } from '../model/login-subject.ts'
import type { Person } from '../model/person.ts'
import type { Tending } from '../model/tending.ts'
import type { EraseOptions } from './inbox.ts'
import { type ErasureNote, openErasureNote, sealErasureNote } from './erasure-note.ts'
import { pauseAfterStep } from './run-steps.ts'

/** The result of one call. */
export interface Erased {
  readonly events: number
  readonly deliveries: number
  readonly bytes: Scrubbed
}

/**
 * Erases a person in three parts: finds what identifies the person, stores that as a note, then erases the events step by step. The note has to
 * be stored first, because the identifiers are in the events that are erased: without it, an erasure that was interrupted could not find the
 * rest. The note is deleted when nothing is left to erase.
 */
export async function erasePerson(
  tend: Tending,
  person: Person,
  clock: Clock,
  options: EraseOptions,
): Promise<Erased> {
  const { loginIds = [], signal, compact = false } = options
  const earlier = openErasureNote(await tend.findErasureNote(person), person)
  const given = { logins: loginIds, texts: loginIds }
  // Stored before anything is read, so that older events which are received meanwhile are blanked, and need not be read here.
  await tend.noteErasure(person, sealErasureNote(joined(earlier, given), person))
  const note = joined(earlier, given, await findIdentifiers(tend, person, signal))
  await tend.noteErasure(person, sealErasureNote(note, person))

  const { events, deliveries } = await eraseSubjects(tend, person, note, clock, options)
  signal?.throwIfAborted()
  const texts = note.texts.filter(({ length }) => length >= shortestText)
  const bytes = await tend.scrub([person.userId, ...texts].slice(0, textLimit), { compact })
  // Otherwise the next call still needs the texts.
  if (bytes === 'scrubbed' || bytes === 'overwritten later') await tend.endErasure(person)
  return { events, deliveries, bytes }
}

/** Shorter texts would match unrelated bytes. */
const shortestText = 6
/** How many texts are looked for in the files of the inbox. */
const textLimit = 50

function joined(...all: readonly ErasureNote[]): ErasureNote {
  return {
    logins: [...new Set(all.flatMap(({ logins }) => logins))],
    texts: [...new Set(all.flatMap(({ texts }) => texts))],
  }
}

/** Reads the person's events, also those that were set aside. */
async function findIdentifiers(
  tend: Tending,
  person: Person,
  signal: AbortSignal | undefined,
): Promise<ErasureNote> {
  const isPerson = (id: string) => canonicalId(id) === person.userId
  const logins = new Set<string>()
  const names = new Set<string>()
  const setAside: Filter = { ...person, state: ['conflict', 'stale', 'quarantined'] }
  for (const where of [person, setAside]) {
    let after: string | undefined
    do {
      signal?.throwIfAborted()
      const page = await tend.find(where, { limit: 100, bodies: true, ...(after !== undefined && { after }) })
      after = page.next
      for (const { body } of page.items) {
        const event = body === undefined ? 'no event' : readEvent(body, () => '')
        if (typeof event === 'string') continue
        for (const login of loginIdsIn(event, isPerson)) if (login !== redacted) logins.add(login)
        if (!textsAt(event, ['user.id']).some(isPerson)) continue
        for (const name of textsAt(event, ['user.fullName'])) if (name !== redacted) names.add(name)
      }
    } while (after !== undefined)
  }
  return { logins: [...logins], texts: [...logins, ...names] }
}

/** The placeholder of a redacted text, which identifies no person. */
const redacted = '[redacted]'

async function eraseSubjects(
  tend: Tending,
  { userId, tenantId }: Person,
  { logins }: ErasureNote,
  clock: Clock,
  { signal, onProgress }: EraseOptions,
): Promise<{ readonly events: number; readonly deliveries: number }> {
  let events = 0
  let deliveries = 0
  for (const subject of new Set([userId, ...logins.map(loginSubject)])) {
    let after: string | undefined
    do {
      signal?.throwIfAborted()
      const beganAt = clock.now()
      const step = await tend.erase({ userId: subject, ...(tenantId !== undefined && { tenantId }) }, after)
      events += step.events
      deliveries += step.deliveries
      after = step.next
      onProgress?.({ done: events, ...(after !== undefined && { next: after }) })
      if (after !== undefined && step.events > 0) await pauseAfterStep(clock, beganAt)
    } while (after !== undefined)
  }
  return { events, deliveries }
}
