import { isFields, text, whole, word, type Fields } from '../json.ts'
import { Problems } from './answer.ts'
import type { Call } from './route.ts'

/** The criteria of a search: of `{search: …}` in a POST, of the query in a GET. */
export function criteriaOf(call: Call): Fields {
  if (call.method === 'POST') return isFields(call.body['search']) ? call.body['search'] : {}
  const numbers = new Set(['numberOfResults', 'startRow', 'start', 'end'])
  return Object.fromEntries(
    [...call.query].map(([name, value]) => [name, numbers.has(name) ? Number(value) : value]),
  )
}

/** FusionAuth's patterns: `*` stands for anything, a value without one is looked for anywhere; case does not matter. */
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

/** Whether a criterion that must be equal is, or is not asked for. */
export function equals(wanted: unknown, value: unknown): boolean {
  return wanted === undefined || wanted === null || wanted === value
}

export interface Page<R> {
  readonly total: number
  readonly rows: readonly R[]
}

/** Orders by what the caller asked for, else by `usual` (`field ASC, field DESC`), and takes one page. */
export function page<R extends Fields>(
  rows: readonly R[],
  criteria: Fields,
  orderable: readonly string[],
  usual: string,
): Page<R> {
  const problems = new Problems()
  const orderBy = (text(criteria['orderBy']) ?? usual).split(',').map((part) => {
    const [field = '', direction = 'ASC'] = part.trim().split(/\s+/)
    if (!orderable.includes(field) || !/^(asc|desc)$/i.test(direction)) {
      problems.add('search.orderBy', 'invalid', `Order by one of ${orderable.join(', ')}, then ASC or DESC.`)
    }
    return { field, sign: direction.toUpperCase() === 'DESC' ? -1 : 1 }
  })
  problems.throwIfAny()
  const sorted = rows.toSorted((a, b) => {
    for (const { field, sign } of orderBy) {
      const order = compare(a[field], b[field])
      if (order !== 0) return order * sign
    }
    return 0
  })
  const startRow = Math.max(0, whole(criteria['startRow']) ?? 0)
  const numberOfResults = Math.max(0, whole(criteria['numberOfResults']) ?? 25)
  return { total: rows.length, rows: sorted.slice(startRow, startRow + numberOfResults) }
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return word(a ?? '').localeCompare(word(b ?? ''))
}
