/** What fill-inbox.ts writes, for those who read it. */
export const key = 'a key for these tests only'

/** One for each fate. */
export const users = {
  pruned: '00000000-0000-4000-8000-00000000a001',
  erased: '00000000-0000-4000-8000-00000000a002',
  handled: '00000000-0000-4000-8000-00000000a003',
  dead: '00000000-0000-4000-8000-00000000a004',
  failing: '00000000-0000-4000-8000-00000000a005',
  refused: '00000000-0000-4000-8000-00000000a006',
  leased: '00000000-0000-4000-8000-00000000a007',
  pending: '00000000-0000-4000-8000-00000000a008',
}

export function eventId(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
}

/** When event `n` was created, epoch ms. */
export function instantOf(n: number): number {
  return Date.UTC(2026, 10, 29) + n
}
