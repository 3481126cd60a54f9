/** What was thrown, whatever it was, in one bounded line for a log. */
export function describeError(thrown: unknown, limit = 500): string {
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `a thrown ${typeof thrown}`
  return text.length > limit ? `${text.slice(0, limit)}…` : text
}
