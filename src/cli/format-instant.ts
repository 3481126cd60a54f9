/** An instant in UTC, as `2026-01-31 12:00:00Z`, so that people in different time zones read the same. */
export function formatInstant(at: number): string {
  return new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}
