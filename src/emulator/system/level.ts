/** How many receivers have to accept a transactional event before FusionAuth commits. `None` is its default. */
export type Level = 'None' | 'Any' | 'SimpleMajority' | 'SuperMajority' | 'AbsoluteMajority'

const levels: readonly Level[] = ['None', 'Any', 'SimpleMajority', 'SuperMajority', 'AbsoluteMajority']

export function isLevel(value: unknown): value is Level {
  return levels.some((level) => level === value)
}

/**
 * FusionAuth's documented rule: a simple majority is half or more. Without a receiver, which its documentation does not mention, the
 * transaction passes.
 */
export function passes(level: Level, receivers: number, successes: number): boolean {
  if (receivers === 0) return true
  switch (level) {
    case 'None':
      return true
    case 'Any':
      return successes > 0
    case 'SimpleMajority':
      return successes >= receivers / 2
    case 'SuperMajority':
      return successes >= (receivers / 3) * 2
    case 'AbsoluteMajority':
      return successes === receivers
  }
}
