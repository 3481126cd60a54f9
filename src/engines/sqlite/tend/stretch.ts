export type Order = 'newest' | 'oldest'

/** Some events that may match a filter, in order. */
export interface Stretch {
  readonly seqs: readonly number[]
  /** Where the next stretch starts; absent at the end. */
  readonly next?: number
}

/** Finds about `limit` candidates after a seq; fewer, or none, when it has searched far. */
export type Walk = (after: number | undefined, order: Order, limit: number) => Stretch

/** The first `limit` of these events; `next` is absent if they are all. */
export function stretchOf(all: readonly number[], limit: number): Stretch {
  const seqs = all.slice(0, limit)
  const last = all.length > limit ? seqs.at(-1) : undefined
  return { seqs, ...(last !== undefined && { next: last }) }
}
