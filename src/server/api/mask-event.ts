/** Stands in place of a value that is not shown. */
export const masked = '•••'

const deepest = 32
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * An event as any token may see it: its structure, its type, ids that are UUIDs, instants, true and false. Every other value is masked, so
 * that a field which is new to this version shows no personal data; `data`, where applications store what they like, as a whole.
 */
export function maskEvent(event: unknown): unknown {
  const shown = maskValue('', event, 0)
  if (typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string') {
    Object.assign(Object(shown), { type: event.type.slice(0, 128) })
  }
  return shown
}

function maskValue(name: string, value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'boolean') return name === 'data' ? masked : value
  if (typeof value === 'number') return name.endsWith('Instant') ? value : masked
  if (typeof value === 'string') return /^id$|Ids?$/.test(name) && uuid.test(value) ? value : masked
  if (typeof value !== 'object' || name === 'data' || depth === deepest) return masked
  if (Array.isArray(value)) return value.map((one) => maskValue(name, one, depth + 1))
  // On an object without a prototype `__proto__` is an ordinary name.
  const copy: Record<string, unknown> = Object.create(null)
  for (const [key, one] of Object.entries(value)) copy[key] = maskValue(key, one, depth + 1)
  return copy
}
