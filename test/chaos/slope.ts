/** One reading of something that may grow. */
export interface Sample {
  readonly minute: number
  readonly value: number
}

/**
 * How much of its level something gains each minute: 0.01 is 1 %. The slope is the median of the slopes between all pairs of samples
 * (Theil and Sen), the level the median of the samples: up to a quarter of the samples may be anything without moving either far.
 */
export function growthPerMinute(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((one, index) =>
    samples
      .slice(index + 1)
      .filter(({ minute }) => minute > one.minute)
      .map((other) => (other.value - one.value) / (other.minute - one.minute)),
  )
  const level = median(samples.map(({ value }) => value))
  return level === 0 ? 0 : median(slopes) / level
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ]
  if (low === undefined || high === undefined) throw new Error('There is no median of nothing.')
  return (low + high) / 2
}
