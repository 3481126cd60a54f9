/**
 * Every value that a path of the catalogue leads to. A path is own keys joined by dots, `[]` after a key stands for each element of the
 * array there: `user.registrations[].tokens`. What is missing on the way counts as one `undefined`; an empty array has no values.
 */
export function valuesAt(event: unknown, path: string): readonly unknown[] {
  let values: readonly unknown[] = [event]
  for (const step of path.split('.')) {
    const each = step.endsWith('[]')
    const key = each ? step.slice(0, -2) : step
    values = values.map((value) => ownValue(value, key))
    if (each) values = values.flatMap((value) => (Array.isArray(value) ? value : [undefined]))
  }
  return values
}

function ownValue(value: unknown, key: string): unknown {
  // The proof of `as`: a non-null object may be asked for any key, and hasOwn keeps __proto__ and constructor out.
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}
