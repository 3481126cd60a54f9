/** Every path of a payload in the catalogue's form, with each value found there; empty objects and arrays count as values. */
export function* leaves(value: unknown, path = ''): Generator<readonly [path: string, value: unknown]> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) yield [path, value]
  else if (Array.isArray(value)) for (const element of value) yield* leaves(element, `${path}[]`)
  else
    for (const [key, below] of Object.entries(value))
      yield* leaves(below, path === '' ? key : `${path}.${key}`)
}
