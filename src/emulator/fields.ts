/** A JSON object of a request, whose fields have not been checked. */
export type Fields = { readonly [name: string]: unknown }

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function fields(value: unknown): Fields {
  return isFields(value) ? value : {}
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function whole(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}

/** Whether a value nests deeper than FusionAuth's objects do. The code that reads it afterwards, JSON.stringify included, is recursive. */
export function tooDeep(value: unknown, left = 100): boolean {
  if (typeof value !== 'object' || value === null) return false
  return left === 0 || Object.values(value).some((inner) => tooDeep(inner, left - 1))
}

// Proof of `as`: Node 22 has JSON.rawJSON; TypeScript's es2024 library does not declare it yet.
const json = JSON as typeof JSON & { rawJSON(text: string): object }

/** The Long that FusionAuth writes for "never". No JavaScript number can represent it; this is stringified to its digits. */
export const never: object = json.rawJSON('9223372036854775807')

/** A value as text, for messages and comparisons. */
export function word(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

export function without(row: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))
}
