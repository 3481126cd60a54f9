/** Stands for what is only shown to whoever asks for it by name. */
export const hidden = '•••'

const deepest = 32
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * An event as anybody with a token may see it: its structure, its type, ids that are UUIDs, instants and yes or no. All else is hidden,
 * whatever it is, so that a field nobody has thought of shows nobody's data; `data`, where applications keep what they like, as a whole.
 */
export function masked(event: unknown): unknown {
  const shown = maskedAt('', event, 0)
  if (typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string') {
    Object.assign(Object(shown), { type: event.type.slice(0, 128) })
  }
  return shown
}

function maskedAt(name: string, value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'boolean') return name === 'data' ? hidden : value
  if (typeof value === 'number') return name.endsWith('Instant') ? value : hidden
  if (typeof value === 'string') return /^id$|Ids?$/.test(name) && uuid.test(value) ? value : hidden
  if (typeof value !== 'object' || name === 'data' || depth === deepest) return hidden
  if (Array.isArray(value)) return value.map((one) => maskedAt(name, one, depth + 1))
  // Without a prototype, `__proto__` is a name like any other.
  const copy: Record<string, unknown> = Object.create(null)
  for (const [key, one] of Object.entries(value)) copy[key] = maskedAt(key, one, depth + 1)
  return copy
}
