/** When the sender stops waiting, counted from the request's first byte. */
export interface Deadline {
  /** Epoch ms. */
  readonly at: number
  remainingMs(): number
}

/** @param startedAt by `performance.now()` */
export function deadlineOf(startedAt: number, withinMs: number): Deadline {
  const endsAt = startedAt + withinMs
  return {
    at: performance.timeOrigin + endsAt,
    remainingMs: () => endsAt - performance.now(),
  }
}
