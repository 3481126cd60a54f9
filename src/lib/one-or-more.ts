/** One value, or a list of them that is not empty. */
export type OneOrMore<T> = T | readonly [T, ...T[]]

export function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T] // Not an array, so the one T: T itself is never an array here.
}
