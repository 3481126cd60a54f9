import { isFields, type Fields } from './fields.ts'

/** RFC 7396: objects merge, null removes, everything else replaces. `__proto__` is not a field. */
export function merge(target: Fields, patch: Fields): Fields {
  const merged = new Map(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    if (name === '__proto__') continue
    const before = merged.get(name)
    if (value === null) merged.delete(name)
    else merged.set(name, isFields(value) ? merge(isFields(before) ? before : {}, value) : value)
  }
  return Object.fromEntries(merged)
}
