import type { Erasure, PageOptions, Prune, Replay } from '../../src/inbox/inbox.ts'
import type { EventKey } from '../../src/model/event-key.ts'
import type { Filter } from '../../src/model/filter.ts'
import type { Kept } from '../../src/model/kept.ts'
import type { Receipt } from '../../src/model/receipt.ts'
import type { Overview } from '../../src/model/stats.ts'
import type { Page } from '../../src/model/tending.ts'
import type { AnswerOf, InputOf, ParsedOf, Route, routes } from '../../src/server/api/routes.ts'

/* Compiled, never run: the schemas of the admin API say what the types of the inbox say, no member more or less. */

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** A type written out member by member, so that an intersection equals the object type it amounts to. */
type Plain<T> = T extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Plain<T[Name]> }
    : T
type Answer<R extends Route> = Plain<AnswerOf<R>>

type EventListed = EventKey & Omit<Kept, 'key' | 'body'>

const answersAreThoseOfTheInbox: readonly [
  Same<Answer<typeof routes.listEvents>, Plain<Page<EventListed>>>,
  Same<Answer<typeof routes.getEvent>, Plain<EventListed & { readonly event?: unknown }>>,
  Same<Answer<typeof routes.listReceipts>, Plain<Page<Receipt>>>,
  Same<Answer<typeof routes.getStats>, Plain<Overview>>,
  Same<Answer<typeof routes.replayEvents>, Plain<Replay>>,
  Same<Answer<typeof routes.pruneEvents>, Plain<Prune>>,
  Same<Answer<typeof routes.erasePerson>, Plain<Erasure>>,
] = [true, true, true, true, true, true, true]

const inputsAreThoseOfTheInbox: readonly [
  Same<keyof ParsedOf<typeof routes.listEvents>['query'], keyof Filter | keyof PageOptions>,
  Same<keyof InputOf<typeof routes.replayEvents>['body'], keyof Filter>,
] = [true, true]

void [answersAreThoseOfTheInbox, inputsAreThoseOfTheInbox]
