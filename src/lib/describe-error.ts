import { codeOf } from './code-of.ts'

/** What was thrown, whatever it was, in one bounded line for a log. Never throws, though a hostile error's message may. */
export function describeError(thrown: unknown, limit = 500): string {
  const text = readable(thrown)
  return text.length > limit ? `${text.slice(0, limit)}…` : text
}

function readable(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return `a thrown ${typeof thrown}`
    // node's error of a host with several addresses has no message.
    return `${thrown.name}: ${thrown.message || (codeOf(thrown) ?? '')}`
  } catch {
    return 'an error that cannot be read'
  }
}
