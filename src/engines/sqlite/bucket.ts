/** Indexes by type and by person lead with this, so that an append touches their right end only. The schema says `seq / 1024`, too. */
export function bucketOf(seq: number): number {
  return Math.floor(seq / 1_024)
}
