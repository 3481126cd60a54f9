import type { EraseOptions } from '../../inbox/inbox.ts'
import type { LongOptions, PageOptions, PruneOptions } from '../../inbox/inbox.ts'
import type { Person } from '../../model/person.ts'
import type { Filter } from '../../model/filter.ts'
import type { AnswerOf, routes } from '../../server/api/routes.ts'

export type EventPage = AnswerOf<typeof routes.listEvents>
/** An event with what it says, personal data masked unless it was revealed. `event` is absent when its body is gone. */
export type ShownEvent = AnswerOf<typeof routes.getEvent>
export type InboxStats = AnswerOf<typeof routes.getStats>
export type Erasure = AnswerOf<typeof routes.erasePerson>

/** An inbox as the verbs use it: opened by this process, or behind the admin listener of a running server. */
export interface OpenedInbox extends AsyncDisposable {
  /** Its place or URL, without secrets. */
  readonly shown: string
  page(where: Filter, options: PageOptions): Promise<EventPage>
  show(id: string, options: { tenantId?: string; reveal: boolean }): Promise<ShownEvent | undefined>
  stats(): Promise<InboxStats>
  replay(where: Filter, options: LongOptions): Promise<AnswerOf<typeof routes.replayEvents>>
  prune(where: PruneOptions, options: LongOptions): Promise<AnswerOf<typeof routes.pruneEvents>>
  erase(person: Person, options: EraseOptions): Promise<Erasure>
  export(where: Filter, options: LongOptions): AsyncIterable<string>
}
