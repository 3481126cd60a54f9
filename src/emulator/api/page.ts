import { text, whole, word, type Fields } from '../fields.ts'
import { Problems } from './api-response.ts'

export interface Page<R> {
  readonly total: number
  readonly rows: readonly R[]
}

/** Sorts by the caller's `orderBy`, else by `usual` (`field ASC, field DESC`), and takes one page. */
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
