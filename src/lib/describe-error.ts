import { codeOf } from './code-of.ts'

/** Any thrown value as text of limited length for a log. Never throws, though the getter of an error's message may. */
export function describeError(thrown: unknown, limit = 500): string {
  const text = readable(thrown)
  return text.length > limit ? `${text.slice(0, limit)}…` : text
}

function readable(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return `a thrown ${typeof thrown}`
    // Node's error for a host with several addresses (AggregateError) has no message.
    return `${thrown.name}: ${thrown.message || (codeOf(thrown) ?? '')}`
  } catch {
    return 'an error that cannot be read'
  }
}
