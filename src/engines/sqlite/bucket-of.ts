/**
 * The bucket of 1,024 events that a seq belongs to. The indexes by type and by person begin with it, so that an append writes only at their
 * right end. The schema contains the same expression: `seq / 1024`.
 */
export function bucketOf(seq: number): number {
  return Math.floor(seq / 1_024)
}
