import { setTimeout as pause } from 'node:timers/promises'
import { readEvent } from '../events/read-event.ts'
import { textsAt } from '../events/values-at.ts'
import { loginIdsIn } from '../events/places.ts'
import { sealIdentifiers, unsealIdentifiers, type Identifiers } from './erasure-note.ts'
import type { Person } from '../model/person.ts'
import type { Scrubbed } from '../model/erased-step.ts'
import type { Filter } from '../model/filter.ts'
import type { Tending } from '../model/tending.ts'
import { canonicalId } from '../model/canonical-id.ts'
import { loginSubject } from '../model/login-subject.ts'

/** How an erasure runs. */
export interface EraseOptions {
  /** Stops it between two steps: what was done stays done, and the promise rejects with the signal's reason. Erase again to go on. */
  readonly signal?: AbortSignal
  /** After each step, with the number of events so far. */
  readonly onProgress?: (progress: { readonly done: number; readonly next?: string }) => void
  /** What else the person signed in with: for events that name nobody by an id. What the user's own events hold is known. */
  readonly loginIds?: readonly string[]
  /** Rewrites the store, so that no remnant is left in its unused space; nothing can be received meanwhile. Default: false. */
  readonly compact?: boolean
}

/** What an erasure did, this call alone. */
export interface Erased {
  readonly events: number
  readonly deliveries: number
  readonly bytes: Scrubbed
}

/**
 * Erases a person in three parts: learn what identifies the person, remember it, take the events away step by step. The order matters: the
 * identifiers stand in the events that are taken away, so an erasure that was broken off could not find the rest without the note. The note
 * is forgotten when nothing is left to do or to look for.
 */
export async function erasePerson(tend: Tending, person: Person, options: EraseOptions): Promise<Erased> {
  const noted = unsealIdentifiers(await tend.findErasureNote(person), person)
  const given = { logins: options.loginIds ?? [], texts: options.loginIds ?? [] }
  // Noted before anything is read, so that older events which come meanwhile are blanked, and need not be learned from.
  await tend.noteErasure(person, sealIdentifiers(joined(noted, given), person))
  const known = joined(noted, given, await learn(tend, person, options.signal))
  await tend.noteErasure(person, sealIdentifiers(known, person))

  const { events, deliveries } = await eraseSubjects(tend, person, known, options)
  options.signal?.throwIfAborted()
  const texts = known.texts.filter(({ length }) => length >= shortestText)
  const bytes = await tend.scrub([person.userId, ...texts].slice(0, textLimit), {
    compact: options.compact ?? false,
  })
  // Otherwise the next call still has to know which texts to look for.
  if (bytes === 'scrubbed' || bytes === 'overwritten later') await tend.endErasure(person)
  return { events, deliveries, bytes }
}

/** Shorter texts would match unrelated bytes. */
const shortestText = 6
/** How many texts are looked for. */
const textLimit = 50
const longestPauseMs = 50

function joined(...all: readonly Identifiers[]): Identifiers {
  return {
    logins: [...new Set(all.flatMap(({ logins }) => logins))],
    texts: [...new Set(all.flatMap(({ texts }) => texts))],
  }
}

/** Reads the person's events, also those that were set aside. */
async function learn(tend: Tending, person: Person, signal: AbortSignal | undefined): Promise<Identifiers> {
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

/** The placeholder of a redacted text identifies nobody. */
const redacted = '[redacted]'

/** Half of the time is left to the events that come in. */
async function eraseSubjects(
  tend: Tending,
  { userId, tenantId }: Person,
  { logins }: Identifiers,
  { signal, onProgress }: EraseOptions,
): Promise<{ readonly events: number; readonly deliveries: number }> {
  let events = 0
  let deliveries = 0
  for (const subject of new Set([userId, ...logins.map(loginSubject)])) {
    let after: string | undefined
    do {
      signal?.throwIfAborted()
      const began = performance.now()
      const step = await tend.erase({ userId: subject, ...(tenantId !== undefined && { tenantId }) }, after)
      events += step.events
      deliveries += step.deliveries
      after = step.next
      onProgress?.({ done: events, ...(after !== undefined && { next: after }) })
      if (after !== undefined && step.events > 0) {
        await pause(Math.min(performance.now() - began, longestPauseMs))
      }
    } while (after !== undefined)
  }
  return { events, deliveries }
}
