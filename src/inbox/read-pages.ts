import type { Filter } from '../model/filter.ts'
import type { Kept } from '../model/kept.ts'
import type { Paging, Tending } from '../model/tending.ts'
import type { LongOptions } from './inbox.ts'

/** All pages of events that match a filter, one after the other. */
export async function* readPages(
  tend: Tending,
  where: Filter,
  paging: Paging,
  { signal, onProgress, after }: LongOptions,
): AsyncGenerator<readonly Kept[]> {
  let next = after
  let done = 0
  do {
    signal?.throwIfAborted()
    const page = await tend.find(where, { ...paging, ...(next !== undefined && { after: next }) })
    yield page.items
    done += page.items.length
    next = page.next
    onProgress?.({ done, ...(next !== undefined && { next }) })
  } while (next !== undefined)
}
