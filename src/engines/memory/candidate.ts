import { asidesOf, type Filter } from '../../model/filter.ts'
import { pageOf } from '../../model/page-of.ts'
import type { Page } from '../../model/tending.ts'
import type { SetAside, Store, StoredEvent } from './store.ts'

/** An event, or one that was set aside, that a filter or a retention may concern. */
export type Candidate = StoredEvent | SetAside

/** How many candidates one step of a replay, a prune or an erasure handles. */
const stepLimit = 500

/** The candidates of a filter: set-aside events if it asks for a kind of them, otherwise events. */
export function candidatesOf({ events, setAside }: Store, where: Filter): readonly Candidate[] {
  const kinds = asidesOf(where)
  if (kinds.length === 0) return [...events.values()]
  return setAside.filter(({ kind }) => kinds.includes(kind))
}

export function allCandidates({ events, setAside }: Store): readonly Candidate[] {
  return [...events.values(), ...setAside]
}

export function isSetAside(candidate: Candidate): candidate is SetAside {
  return 'kind' in candidate
}

export function removeSetAside({ setAside }: Store, one: SetAside): void {
  setAside.splice(setAside.indexOf(one), 1)
}

/** Whether a candidate names the user of the filter, if the filter has one. */
export function namesUser({ arrival }: Candidate, { userId }: Filter): boolean {
  return userId === undefined || arrival.subjects.includes(userId)
}

/** The candidates of one step, oldest first. `after`: the position of the last candidate of the previous step. */
export function stepAfter(all: readonly Candidate[], after: string | undefined): Page<Candidate> {
  const rest = all
    .filter(({ position }) => position > Number(after ?? 0))
    .toSorted((a, b) => a.position - b.position)
  return pageOf(rest, stepLimit, ({ position }) => position)
}
