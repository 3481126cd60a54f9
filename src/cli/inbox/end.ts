import type { EraseOptions } from '../../inbox/erase-person.ts'
import type { Erasure, LongOptions, PageOptions, Prune, PruneOptions, Replay } from '../../inbox/inbox.ts'
import type { Person } from '../../model/person.ts'
import type { EventKey } from '../../model/event-key.ts'
import type { Filter } from '../../model/filter.ts'
import type { Kept } from '../../model/kept.ts'
import type { Overview } from '../../model/stats.ts'
import type { Page } from '../../model/tending.ts'

/** All about an event, nothing of what it says. */
export type Listed = EventKey & Omit<Kept, 'key' | 'body'>

export interface Shown extends Listed {
  /** What it says; what names a person is hidden, unless it was asked for. Absent: its body is gone. */
  readonly event?: unknown
}

/** An inbox as the verbs work on it: opened here, or behind the admin listener of a running server. */
export interface InboxEnd extends AsyncDisposable {
  /** Without secrets. */
  readonly shown: string
  page(where: Filter, options: PageOptions): Promise<Page<Listed>>
  show(id: string, options: { tenantId?: string; reveal: boolean }): Promise<Shown | undefined>
  stats(): Promise<Overview>
  replay(where: Filter, options: LongOptions): Promise<Replay>
  prune(where: PruneOptions, options: LongOptions): Promise<Prune>
  erase(person: Person, options: EraseOptions): Promise<Erasure>
  export(where: Filter, options: LongOptions): AsyncIterable<string>
}
