import { isFields, text, type Fields } from '../fields.ts'
import type { Call } from './route.ts'

/** The criteria of a search: from `{search: …}` in a POST, from the query in a GET. */
export function searchCriteria(call: Call): Fields {
  if (call.method === 'POST') return isFields(call.body['search']) ? call.body['search'] : {}
  const numbers = new Set(['numberOfResults', 'startRow', 'start', 'end'])
  return Object.fromEntries(
    [...call.query].map(([name, value]) => [name, numbers.has(name) ? Number(value) : value]),
  )
}

/** FusionAuth's patterns: `*` matches any text, a pattern without one matches a part of the value; case is ignored. */
export function matches(pattern: unknown, value: string | undefined): boolean {
  const wanted = text(pattern)?.toLowerCase()
  if (wanted === undefined) return true
  const parts = (wanted.includes('*') ? wanted : `*${wanted}*`).split('*')
  let rest = value?.toLowerCase() ?? ''
  const first = parts.shift() ?? ''
  const last = parts.pop() ?? ''
  if (!rest.startsWith(first)) return false
  rest = rest.slice(first.length)
  for (const part of parts) {
    const at = rest.indexOf(part)
    if (at === -1) return false
    rest = rest.slice(at + part.length)
  }
  return rest.length >= last.length && rest.endsWith(last)
}

/** Whether a value equals a criterion, or the criterion is absent. */
export function equals(wanted: unknown, value: unknown): boolean {
  return wanted === undefined || wanted === null || wanted === value
}

/** Whether an instant is between a search's `start` and `end`. */
export function isBetween(instant: number, { start, end }: Fields): boolean {
  return (typeof start !== 'number' || instant >= start) && (typeof end !== 'number' || instant <= end)
}
